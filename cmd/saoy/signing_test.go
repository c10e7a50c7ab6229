package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/softkey"
)

// signingPassphrase is $PASS of the scripts.
const signingPassphrase = "mật khẩu dài và khó đoán"

// world is the authority of one script, reached over a real connection.
type world struct {
	pki    *signertest.PKI
	server *httptest.Server
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func newWorld(e *testscript.Env) (*world, error) {
	w := &world{server: httptest.NewUnstartedServer(nil)}
	var err error
	w.pki, err = signertest.NewPKI(signertest.Config{Clock: time.Now, Slowness: 2 * time.Second,
		BaseURL: "http://" + w.server.Listener.Addr().String()})
	if err != nil {
		return nil, err
	}
	w.server.Config.Handler = w.pki.Handler()
	w.server.Start()
	e.Defer(w.server.Close)
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.pki.Root.Certificate.Raw})
	return w, os.WriteFile(e.WorkDir+"/ca.pem", root, 0o600)
}

// TestSigning runs the scripts of sign, extend, key and bench.
func TestSigning(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/signing",
		Setup: func(e *testscript.Env) error {
			w, err := newWorld(e)
			if err != nil {
				return err
			}
			e.Values[worldKey{}] = w
			for k, v := range map[string]string{"HOME": e.WorkDir, "TSA": w.server.URL + "/tsa", "PASS": signingPassphrase, "PIN": "123456", "NL": "\n",
				"SOFTHSM2_CONF": e.WorkDir + "/softhsm2.conf", "PKCS11_MODULE": softHSMModule()} {
				e.Setenv(k, v)
			}
			conf := fmt.Appendf(nil, "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", e.WorkDir)
			return errors.Join(os.Mkdir(e.WorkDir+"/tokens", 0o700), os.WriteFile(e.WorkDir+"/softhsm2.conf", conf, 0o600))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"pdf": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(writePDF(ts.MkAbs(args[0]), args[1:]))
			},
			"picture": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(writeSeal(ts.MkAbs(args[0]))) },
			"note":    func(ts *testscript.TestScript, _ bool, args []string) { ts.Logf("%s", args[0]) },
			"keyfile": keyFileCommand,
			"remote":  remoteCommand,
			"issue":   issueCommand,
			"revoke":  revokeCommand,
			"fault": func(ts *testscript.TestScript, _ bool, args []string) {
				worldOf(ts).pki.SetFault(signertest.Service(args[0]), signertest.Fault(args[1]))
			},
			"startswith": func(ts *testscript.TestScript, _ bool, args []string) {
				if !bytes.HasPrefix([]byte(ts.ReadFile(args[0])), []byte(ts.ReadFile(args[1]))) {
					ts.Fatalf("%s does not begin with %s", args[0], args[1])
				}
			},
			"interrupted": interruptedCommand,
			"leftovers":   func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(noLeftovers(ts.MkAbs(args[0]))) },
		},
		Condition: signingCondition,
	})
}

// signingCondition knows [tool:NAME] and [softhsm]; with SAOY_REQUIRE=all, what is absent fails.
func signingCondition(cond string) (bool, error) {
	required := os.Getenv("SAOY_REQUIRE") == "all"
	if cond == "softhsm" {
		if softHSMModule() == "" && required {
			return false, errors.New("SoftHSM (softhsm2) is required")
		}
		return softHSMModule() != "", nil
	}
	if len(cond) < 6 || cond[:5] != "tool:" {
		return false, fmt.Errorf("unknown condition %s", cond)
	}
	_, err := exec.LookPath(cond[5:])
	if err != nil && required {
		return false, fmt.Errorf("%s is required", cond[5:])
	}
	return err == nil, nil
}

func softHSMModule() string {
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// keyFileCommand: keyfile FILE KEYTYPE makes an official's key, in PKCS #12 or, if FILE ends
// in .pem, in PEM.
func keyFileCommand(ts *testscript.TestScript, _ bool, args []string) {
	f := signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Ân Tường Đông", "")
	f.KeyType = signertest.KeyType(args[1])
	leaf, err := worldOf(ts).pki.Issue(f)
	ts.Check(err)
	name := ts.MkAbs(args[0])
	if name[len(name)-4:] != ".pem" {
		ts.Check(softkey.Save(name, leaf.Identity, []byte(signingPassphrase)))
		return
	}
	der, err := x509.MarshalPKCS8PrivateKey(leaf.Private)
	ts.Check(err)
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for _, c := range append([]*x509.Certificate{leaf.Certificate}, leaf.Chain...) {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	ts.Check(os.WriteFile(name, out, 0o600))
}

// issueCommand: issue CSR OUT has the authority certify a request, as an authority would:
// after checking that who asks has the key.
func issueCommand(ts *testscript.TestScript, _ bool, args []string) {
	block, _ := pem.Decode([]byte(ts.ReadFile(args[0])))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		ts.Fatalf("%s is no certificate request", args[0])
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	ts.Check(err)
	ts.Check(request.CheckSignature())
	f := signertest.Official(request.Subject.CommonName, "", "", "")
	f.Subject, f.PublicKey = request.Subject, request.PublicKey
	leaf, err := worldOf(ts).pki.Issue(f)
	ts.Check(err)
	var out []byte
	for _, c := range append([]*x509.Certificate{leaf.Certificate}, leaf.Chain...) {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), out, 0o600))
}

// revokeCommand: revoke KEYFILE revokes the certificate in a key file.
func revokeCommand(ts *testscript.TestScript, _ bool, args []string) {
	id, err := softkey.Load(ts.MkAbs(args[0]), []byte(signingPassphrase), time.Now)
	ts.Check(err)
	ts.Check(worldOf(ts).pki.Revoke(id.Certificate, time.Now().Add(-time.Minute), 1))
}

// writeSeal draws a red ring on nothing.
func writeSeal(name string) error {
	m := image.NewNRGBA(image.Rect(0, 0, 120, 120))
	for y := range 120 {
		for x := range 120 {
			if d := (x-60)*(x-60) + (y-60)*(y-60); d < 58*58 && d > 50*50 {
				m.SetNRGBA(x, y, color.NRGBA{R: 0xC8, A: 0xC0})
			}
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, m)
	return errors.Join(err, os.WriteFile(name, b.Bytes(), 0o600))
}

func noLeftovers(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if len(e.Name()) > 6 && e.Name()[:6] == ".saoy-" {
			return fmt.Errorf("%s was left", e.Name())
		}
	}
	return err
}

// writePDF makes a file of one page: as it should be, or "encrypted", "damaged", or a
// number of bytes large.
func writePDF(name string, kind []string) error {
	size, trailer := 1000, pdf.Dict{}
	text := func(c byte, n int) pdf.String { return pdf.String{Bytes: bytes.Repeat([]byte{c}, n), Hex: true} }
	what := append(kind, "")[0]
	if n, err := strconv.Atoi(what); err == nil {
		size = n
	}
	if what == "encrypted" {
		trailer.Set("Encrypt", pdf.Dict{pdf.E("Filter", pdf.Name("Standard")), pdf.E("V", pdf.Integer(2)), pdf.E("R", pdf.Integer(3)),
			pdf.E("Length", pdf.Integer(128)), pdf.E("O", text(1, 32)), pdf.E("U", text(2, 32)), pdf.E("P", pdf.Integer(-4))})
	}
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	root, pages, page := w.Alloc(), w.Alloc(), w.Alloc()
	content, err := w.Add(pdf.NewStream(nil, bytes.Repeat([]byte("q Q\n"), size/4)))
	id := text(7, 16)
	trailer.Set("Root", root)
	trailer.Set("ID", pdf.Array{id, id})
	err = errors.Join(err,
		w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", pages)}),
		w.Put(pages, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{page}), pdf.E("Count", pdf.Integer(1))}),
		w.Put(page, pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", pages), pdf.E("Resources", pdf.Dict{}),
			pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)), pdf.E("Contents", content)}),
		w.Close(trailer))
	out := b.Bytes()
	if what == "damaged" {
		out = out[:len(out)/2]
	}
	return errors.Join(err, os.WriteFile(name, out, 0o600))
}
