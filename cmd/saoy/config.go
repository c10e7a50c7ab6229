package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
)

// dataFlag names an installation: its directory, or the file that says where all of it is.
type dataFlag struct {
	// Data is a directory. Who can write to it owns the installation: keys, ledger, files.
	Data string `help:"Directory of the installation; made on first use. Default: the configuration's, else data." env:"SAOY_DATA" type:"path" yaml:"data"`
	// ConfigFile is read by every command. Who can write to it decides which key signs what and
	// whom the service believes; it holds no secret.
	ConfigFile string `help:"Configuration file (YAML), see examples/saoy.yaml." name:"config" env:"SAOY_CONFIG" type:"path" yaml:"-"`
}

// place are the paths inside the data directory.
type place string

func (p place) postgres() string { return filepath.Join(string(p), "postgres") }
func (p place) scratch() string  { return filepath.Join(string(p), "scratch") }
func (p place) vault() string    { return filepath.Join(string(p), "vault") }
func (p place) public() string   { return filepath.Join(string(p), "log") }
func (p place) demo() string     { return filepath.Join(string(p), "demo") }
func (p place) keys() string     { return filepath.Join(string(p), "keys") }
func (p place) secrets() string  { return filepath.Join(string(p), "secrets") }
func (p place) cache() string    { return filepath.Join(string(p), "cache") }
func (p place) runFile() string  { return filepath.Join(string(p), "run.json") }

// make creates the directory and those in it that must not be read by others.
func (p place) make() error {
	for _, dir := range []string{string(p), p.secrets(), p.keys(), p.cache()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("data directory: %w", err)
		}
	}
	return nil
}

// Config is how an installation is run. Each field says what whoever controls it can do. A
// value comes from the flag, else from the environment, else from the file, else it is the
// default. The variable of a field is SAOY_ and its path in the file: SAOY_VAULT_S3_BUCKET.
type Config struct {
	dataFlag    `yaml:",inline"`
	resultFlags `yaml:",inline"`
	// Listen is the address of the sites. A demonstration binds loopback only: anybody who
	// reaches it could have anything certified. In production a proxy that ends TLS is before it.
	Listen string `help:"Address to listen on. Default: 127.0.0.1:8080." env:"SAOY_LISTEN" yaml:"listen"`
	// PublicURL is printed in every QR and recorded for ever at the first start: who controls
	// its host answers for every copy ever issued. Default http://LISTEN.
	PublicURL string `help:"Public address, permanent once the first copy exists. Default: http://LISTEN." env:"SAOY_PUBLIC_URL" yaml:"public_url"`
	// Production refuses demonstration material: keys, authorities, agencies.
	Production bool `help:"Refuse to start with demonstration material." env:"SAOY_PRODUCTION" yaml:"production"`
	// Roles are the parts this process runs: office, public, api, worker. Default all. Each has
	// database rights and secrets of its own; who controls a process has those of its parts.
	Roles []string `help:"Parts this process runs: office, public, api, worker. Default: all." name:"role" env:"SAOY_ROLES" yaml:"roles"`
	// Workers is how many copies this process works on at once; default 4.
	Workers int `help:"Copies worked on at once. Default: 4." env:"SAOY_WORKERS" yaml:"workers"`
	// Metrics is an address for figures in Prometheus' text format; empty: none. They name no
	// person and no copy, but tell how much an office does: loopback or the administrators' network.
	Metrics string `help:"Address for metrics (Prometheus); none if empty." env:"SAOY_METRICS" yaml:"metrics"`
	// DrainDelay is how long, after being told to end, the process goes on serving while /readyz
	// says no, so that a balancer takes it out first. Default 0.
	DrainDelay time.Duration `kong:"-" yaml:"drain_delay"`
	// TrustedProxies are the networks (CIDR) of the proxies before this process. Whoever is in
	// one can say where a visitor comes from, and so escape the limits on look-ups.
	TrustedProxies []string `kong:"-" yaml:"trusted_proxies"`
	// Secrets is the directory of master.age, log.key and softkeys.phrase; default DATA/secrets.
	// Who reads it reads all files, signs the log and uses the soft keys.
	Secrets filePath `kong:"-" yaml:"secrets"`

	Database   databaseConfig    `kong:"-" yaml:"database"`
	Vault      vaultConfig       `kong:"-" yaml:"vault"`
	Log        logConfig         `kong:"-" yaml:"log"`
	Scratch    scratchConfig     `kong:"-" yaml:"scratch"`
	Keys       keysConfig        `kong:"-" yaml:"keys"`
	TimeStamps []timeStampConfig `kong:"-" yaml:"time_stamps"`
	Revocation revocationConfig  `kong:"-" yaml:"revocation"`
	// Anchors is the file of dated trust anchors for certificates and time-stamps. Who can write
	// it decides whose signatures pass.
	Anchors filePath `kong:"-" yaml:"anchors"`

	loaded bool // the file and the environment are in it
}

// databaseConfig is a PostgreSQL server of the operator's. Who controls it can hide rows, and
// be found out by the log. Without one the process runs a private server in its directory.
type databaseConfig struct {
	// URLFile holds the connection string, which may hold a password: mode 0600 or less. The
	// environment's DATABASE_URL comes before it.
	URLFile filePath `yaml:"url_file"`
	// MaxConnections bounds the pool of this process; default 16.
	MaxConnections int `yaml:"max_connections"`

	url string
}

// bucketConfig is an S3 bucket, or a prefix of one. Who controls it can withhold objects, not
// read or change them unseen.
type bucketConfig struct {
	// Endpoint is https://HOST; empty: the files lie in the data directory instead.
	Endpoint string `yaml:"endpoint"`
	Bucket   string `yaml:"bucket"`
	// Region of the signatures; default us-east-1.
	Region string `yaml:"region"`
	// Prefix is put before all keys, so that stores and installations can share a bucket.
	Prefix string `yaml:"prefix"`
	// Credentials is a file of AWS_ACCESS_KEY_ID=… and AWS_SECRET_ACCESS_KEY=…, read again when
	// it changes; default: those variables. Who reads it can write, and delete what is not locked.
	Credentials filePath `yaml:"credentials"`
	// CA replaces the system's trust for the store's certificate.
	CA filePath `yaml:"ca"`
	// Timeout bounds each silence of the store; default 30 s.
	Timeout time.Duration `yaml:"timeout"`
}

// vaultConfig is where issued files are kept, each encrypted under a key of its own.
type vaultConfig struct {
	S3 bucketConfig `yaml:"s3"`
	// RetentionDays is how long an object cannot be deleted by anybody (S3 object lock,
	// compliance mode; on a disk only this program keeps it), from its storing on. In
	// production with S3 it must be said; it cannot be shortened for what is stored already.
	RetentionDays int `yaml:"retention_days"`
}

// logConfig is where signed checkpoints are kept, apart from the database.
type logConfig struct {
	S3 bucketConfig `yaml:"s3"`
	// RetentionDays is as for the vault; default 3650 with S3.
	RetentionDays int `yaml:"retention_days"`
}

// scratchConfig is where scans, previews and files being signed lie, without locks. Processes
// on several machines need a common one.
type scratchConfig struct {
	S3 bucketConfig `yaml:"s3"`
}

// keysConfig bounds what the ledger may make this process do when it names a key.
type keysConfig struct {
	// Modules are the PKCS #11 libraries that may be loaded, by path. A library runs inside this
	// process: without this list, who writes to the ledger could run anything here.
	Modules []string `yaml:"modules"`
	// Sessions is how many signatures one token makes at once; default 4.
	Sessions int `yaml:"sessions"`
	// Services are the remote signing services that may be asked.
	Services []serviceConfig `yaml:"services"`
}

// serviceConfig is a remote signing service (CSC API v2) and what it is shown.
type serviceConfig struct {
	URL string `yaml:"url"`
	// TokenFile holds the access token, PINFile the PIN of the credentials; mode 0600 or less.
	// Who reads both can sign with them.
	TokenFile filePath `yaml:"token_file"`
	PINFile   filePath `yaml:"pin_file"`
}

// timeStampConfig is an RFC 3161 authority; several are tried in order.
type timeStampConfig struct {
	URL string `yaml:"url"`
	// AuthorizationFile holds the Authorization header it wants; mode 0600 or less.
	AuthorizationFile filePath `yaml:"authorization_file"`
	// Concurrency is how many of this process's requests it gets at once; default 4.
	Concurrency int `yaml:"concurrency"`
	// Timeout bounds one answer; default 60 s.
	Timeout time.Duration `yaml:"timeout"`
}

// revocationConfig is how proof is gathered that certificates were good when they signed.
type revocationConfig struct {
	// MaxAge is how old an answer put into a copy may be; default 24 h.
	MaxAge time.Duration `yaml:"max_age"`
	// Hosts are the only OCSP and CRL servers asked, by name, and those may be in a private
	// network. Empty: any that a certificate names, if its address is public.
	Hosts []string `yaml:"hosts"`
}

// place is the data directory, with the secrets where they are.
func (c Config) place() place { return place(c.Data) }

// secretsDir is where the installation's secrets are.
func (c Config) secretsDir() string {
	if c.Secrets != "" {
		return string(c.Secrets)
	}
	return c.place().secrets()
}

// base returns the public address.
func (c Config) base() (link.Base, error) {
	text := c.PublicURL
	if text == "" {
		text = "http://" + c.Listen
	}
	base, err := link.ParseBase(text)
	if err != nil {
		return base, certcopy.Errorf(certcopy.Invalid, "public_url", err, certcopy.Msg(
			"Địa chỉ công khai không dùng được: cần https, hoặc http trên máy này. Hãy đặt --public-url, ví dụ https://saoy.tinh.gov.vn.",
			"The public address cannot be used: it must be https, or http on this machine. Set --public-url, for example https://saoy.example.vn."))
	}
	return base, nil
}

// loopback reports whether the sites are reachable from this machine only.
func (c Config) loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
