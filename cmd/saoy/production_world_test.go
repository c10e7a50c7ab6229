package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/storage/s3/s3test"
	"github.com/saoy/saoy/storage/storagetest"
)

// production is an installation in earnest with real parts around it: PostgreSQL with a login for
// each role, an S3 server with object lock, tokens in SoftHSM, and an authority over HTTP.
type production struct {
	t         *testing.T
	dir       string
	binary    string
	config    string
	owner     string // connection string of the database's owner
	pki       *signertest.PKI
	store     *s3test.Server
	storeDir  string
	tokens    string // SoftHSM's directory
	hsm       string // the variable that names its configuration
	processes map[string]*process
}

// process is one "saoy serve --role".
type process struct {
	role, address, metrics string
	cmd                    *exec.Cmd
	output                 *safeBuffer
}

const (
	productionURL = "https://saoy.tinh-thu.example.vn"
	tokenPIN      = "482913"
)

func newProduction(t *testing.T) *production {
	t.Helper()
	if softHSMModule() == "" {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("needs SoftHSM (softhsm2)")
		}
		t.Skip("needs SoftHSM (softhsm2)")
	}
	p := &production{t: t, dir: t.TempDir(), processes: map[string]*process{}}
	p.owner = storagetest.EmptyDatabase(t)
	p.storeDir = t.TempDir()
	p.store = s3test.Start(t, p.storeDir, "127.0.0.1:0")
	p.binary = filepath.Join(p.dir, "saoy")
	if out, err := exec.Command("go", "build", "-o", p.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	p.openAuthority()
	p.openTokens()
	p.write("aws", fmt.Sprintf("AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n", s3test.Keys.ID, string(s3test.Keys.Secret)), 0o600)
	p.writeConfig(p.store.Bucket(t, true), p.store.Bucket(t, false))
	t.Cleanup(p.stopAll)
	return p
}

func (p *production) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *production) path(name string) string { return filepath.Join(p.dir, name) }

func (p *production) write(name, text string, mode os.FileMode) string {
	p.t.Helper()
	p.must(os.WriteFile(p.path(name), []byte(text), mode))
	return p.path(name)
}

// openAuthority starts the certification and time-stamping authority and writes the anchors.
func (p *production) openAuthority() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	p.must(err)
	p.pki, err = signertest.NewPKI(signertest.Config{Clock: time.Now, BaseURL: "http://" + l.Addr().String(), Organization: "Nhà cung cấp chứng thực Thử"})
	p.must(err)
	server := httptest.NewUnstartedServer(p.pki.Handler())
	server.Listener.Close()
	server.Listener = l
	server.Start()
	p.t.Cleanup(server.Close)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.pki.Root.Certificate.Raw})
	list, err := json.Marshal(map[string]any{"anchors": []any{map[string]any{
		"name": map[string]string{"vi": "Gốc thử", "en": "Test root"}, "certificate": string(root), "purposes": []string{"signature", "time-stamp"},
	}}})
	p.must(err)
	p.write("anchors.json", string(list), 0o644)
}

// openTokens makes a SoftHSM token with the keys of an official and of an agency.
func (p *production) openTokens() {
	p.tokens = p.path("tokens")
	p.must(os.Mkdir(p.tokens, 0o700))
	conf := p.write("softhsm2.conf", fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", p.tokens), 0o600)
	p.hsm = "SOFTHSM2_CONF=" + conf
	p.write("pin", tokenPIN+"\n", 0o600)
	p.run("softhsm2-util", "--init-token", "--free", "--label", "xa", "--pin", tokenPIN, "--so-pin", "87654321")
	p.putKey("nguoi-ky", "01", signertest.Official("Nguyễn Văn Thử", "Chủ tịch", "Ủy ban nhân dân xã Thử", "CCCD:001"))
	p.putKey("con-dau", "02", signertest.Agency("Ủy ban nhân dân xã Thử", "MST:001"))
}

func (p *production) putKey(label, id string, profile signertest.Profile) {
	profile.KeyType = signertest.RSA2048
	leaf, err := p.pki.Issue(profile)
	p.must(err)
	der, err := x509.MarshalPKCS8PrivateKey(leaf.Private)
	p.must(err)
	file := p.write(label+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), 0o600)
	certificates := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate.Raw})
	certificates = append(certificates, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.pki.Issuing.Certificate.Raw})...)
	p.write(label+".pem", string(certificates), 0o644)
	p.run("softhsm2-util", "--import", file, "--token", "xa", "--label", label, "--id", id, "--pin", tokenPIN)
	p.must(os.Remove(file))
}

func (p *production) keyURI(label string) string {
	return fmt.Sprintf("pkcs11:token=xa;object=%s?module-path=%s&pin-source=file:%s", label, softHSMModule(), p.path("pin"))
}

func (p *production) writeConfig(vault, scratch string) {
	s3 := func(bucket, prefix string) string {
		return fmt.Sprintf("{endpoint: 'http://%s', bucket: %s, prefix: %s, credentials: aws, timeout: 3s}", p.store.Address, bucket, prefix)
	}
	p.config = p.write("saoy.yaml", fmt.Sprintf(`
data: data
production: true
public_url: %s
workers: 4
trusted_proxies: [127.0.0.1]
vault: {s3: %s, retention_days: 1}
log: {s3: %s, retention_days: 1}
scratch: {s3: %s}
keys: {modules: ['%s'], sessions: 2}
anchors: anchors.json
time_stamps: [{url: '%s/tsa', timeout: 5s, concurrency: 2}]
revocation: {hosts: ['127.0.0.1']}
`, productionURL, s3(vault, "vault"), s3(vault, "log"), s3(scratch, "scratch"), softHSMModule(), p.authority()), 0o644)
}

func (p *production) authority() string {
	return strings.TrimSuffix(p.pki.TSA.Certificate.OCSPServer[0], "/ocsp")
}

// run runs a program to its end and returns what it printed.
func (p *production) run(program string, args ...string) string {
	p.t.Helper()
	out, err := p.try(program, args...)
	if err != nil {
		p.t.Fatalf("%s %s: %v\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return out
}

func (p *production) try(program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), p.hsm, "DATABASE_URL="+p.owner, "SAOY_CONFIG="+p.config)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p *production) saoy(args ...string) string {
	p.t.Helper()
	return p.run(p.binary, args...)
}

// login makes a database login that is a member of one role and nothing else.
func (p *production) login(role string) string {
	p.t.Helper()
	conn, err := pgx.Connect(p.t.Context(), p.owner)
	p.must(err)
	defer conn.Close(p.t.Context())
	config := conn.Config()
	name := fmt.Sprintf("%s_%s", role, config.Database)
	_, err = conn.Exec(p.t.Context(), fmt.Sprintf(`CREATE ROLE %s LOGIN IN ROLE saoy_%s`, name, role))
	p.must(err)
	p.t.Cleanup(func() {
		conn, err := pgx.Connect(p.t.Context(), p.owner)
		if err == nil {
			_, _ = conn.Exec(p.t.Context(), "DROP ROLE IF EXISTS "+name)
			_ = conn.Close(p.t.Context())
		}
	})
	return fmt.Sprintf("host=%s port=%d user=%s dbname=%s", config.Host, config.Port, name, config.Database)
}

// serve starts one process of a role under a login of that role, and waits until it answers.
func (p *production) serve(role, url string) *process {
	p.t.Helper()
	s := &process{role: role, address: freeAddress(p.t), metrics: freeAddress(p.t), output: new(safeBuffer)}
	s.cmd = exec.Command(p.binary, "serve", "--config", p.config, "--role", role, "--listen", s.address, "--metrics", s.metrics)
	s.cmd.Env = append(os.Environ(), p.hsm, "DATABASE_URL="+url)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	p.must(s.cmd.Start())
	p.processes[s.address] = s
	p.answers(s)
	return s
}

func (p *production) answers(s *process) {
	p.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		res, err := http.Get("http://" + s.address + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%s does not answer\n%s", s.role, s.output)
		}
	}
}

func (p *production) stop(s *process, with syscall.Signal) error {
	delete(p.processes, s.address)
	_ = s.cmd.Process.Signal(with)
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == -1 && with == syscall.SIGKILL {
		return nil
	}
	return err
}

func (p *production) stopAll() {
	for _, s := range p.processes {
		if err := p.stop(s, syscall.SIGTERM); err != nil {
			p.t.Errorf("%s ended with %v\n%s", s.role, err, s.output)
		}
		if p.t.Failed() {
			p.t.Logf("%s:\n%s", s.role, s.output)
		}
	}
}

// found opens the office from the command line, as docs/operations.md tells it.
func (p *production) found() (token string) {
	p.t.Helper()
	signature, err := stamp.DemonstrationSignature()
	p.must(err)
	seal, err := stamp.DemonstrationSeal("Ủy ban nhân dân xã Thử")
	p.must(err)
	p.write("signature.png", string(signature), 0o644)
	p.write("seal.png", string(seal), 0o644)
	p.saoy("migrate")
	for _, args := range [][]string{
		{"agency", "add", "xa-thu", "--code", "H99.01", "--name", "Ủy ban nhân dân xã Thử", "--place", "xã Thử", "--province", "Gia Lai"},
		{"user", "add", "quantri", "--name", "Phạm Thị Quản", "--role", "admin"},
		{"user", "add", "tiepnhan", "--name", "Lê Văn Nhận", "--role", "clerk"},
		{"user", "add", "chutich", "--name", "Nguyễn Văn Thử", "--title", "CHỦ TỊCH", "--role", "certifier"},
		{"user", "add", "vanthu", "--name", "Trần Thị Dấu", "--role", "seal_keeper"},
		{"authorise", "chutich", "--scope", "certify", "--decision", "12/QĐ-UBND"},
		{"authorise", "vanthu", "--scope", "seal", "--decision", "13/QĐ-UBND"},
		{"user", "signature", "chutich", p.path("signature.png")},
		{"agency", "seal", "xa-thu", p.path("seal.png")},
		{"key", "enrol", "--official", "chutich", "--uri", p.keyURI("nguoi-ky"), "--certificate", p.path("nguoi-ky.pem")},
		{"key", "enrol", "--agency", "xa-thu", "--uri", p.keyURI("con-dau"), "--certificate", p.path("con-dau.pem")},
	} {
		p.saoy(args...)
		if again := p.saoy(args...); !strings.Contains(again, "unchanged") {
			p.t.Errorf("%v said twice: %s", args, again)
		}
	}
	lines := strings.Fields(p.saoy("token", "mot-cua", "--scopes", "requests,verify,certify,seal", "--by", "tiepnhan",
		"--official", "chutich", "--keeper", "vanthu", "--decision", "14/QĐ-UBND"))
	return lines[len(lines)-1]
}
