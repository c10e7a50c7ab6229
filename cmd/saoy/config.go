package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
)

// dataFlag is where an installation on the embedded default keeps everything.
type dataFlag struct {
	// Data is a directory. Who can write to it owns the installation: keys, ledger, files.
	Data string `help:"Directory of the installation; made on first use." default:"data" env:"SAOY_DATA" type:"path"`
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

// Config is how an installation is run. Each field says what whoever controls it can do.
type Config struct {
	dataFlag
	resultFlags
	// Listen is the address of the sites. A demonstration binds loopback only: anybody who
	// reaches it could have anything certified.
	Listen string `help:"Address to listen on." default:"127.0.0.1:8080" env:"SAOY_LISTEN"`
	// PublicURL is printed in every QR and recorded for ever at the first start: who controls
	// its host answers for every copy ever issued.
	PublicURL string `help:"Public address, permanent once the first copy exists. Default: http://LISTEN." env:"SAOY_PUBLIC_URL"`
	// Production refuses demonstration material: keys, authorities, agencies.
	Production bool `help:"Refuse to start with demonstration material." env:"SAOY_PRODUCTION"`
	// DatabaseURL names a PostgreSQL server to use instead of the private one; who controls it
	// can hide rows, and be found out by the log. It may hold a password: environment only.
	DatabaseURL string `kong:"-"`
	// Workers is how many copies are worked on at once.
	Workers int `help:"Copies worked on at once." default:"4" env:"SAOY_WORKERS"`
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
