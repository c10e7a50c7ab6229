package cms_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
)

var content = []byte("%PDF-1.7 một bản sao có chữ ký")

// pki is shared: making RSA keys is what takes time.
var pki = sync.OnceValue(func() *signertest.PKI {
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		panic(err)
	}
	return p
})

func identity(tb testing.TB, kind signertest.KeyType) signertest.Leaf {
	tb.Helper()
	f := signertest.Official("Nguyễn Thị Đức Hường", "Chủ tịch", "UBND xã Ân Tường Đông", "CCCD:001080000001")
	f.KeyType = kind
	leaf, err := pki().Issue(f)
	if err != nil {
		tb.Fatal(err)
	}
	return leaf
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

// sign makes a complete CMS over content.
func sign(tb testing.TB, id signer.Identity, pss bool, ts signer.TimeStamper) []byte {
	tb.Helper()
	alg, err := cms.AlgorithmFor(id.Certificate.PublicKey, pss)
	if err != nil {
		tb.Fatal(err)
	}
	der, err := cms.Sign(tb.Context(), id, sum(alg.Hash, content), cms.Options{PSS: pss, TimeStamper: ts})
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

func parse(tb testing.TB, der []byte) *cms.SignedData {
	tb.Helper()
	sd, err := cms.Parse(der)
	if err != nil {
		tb.Fatal(err)
	}
	return sd
}

var keys = []struct {
	kind signertest.KeyType
	pss  bool
}{
	{signertest.P256, false}, {signertest.P384, false}, {signertest.P521, false},
	{signertest.RSA2048, false}, {signertest.RSA2048, true}, {signertest.RSA3072, true}, {signertest.RSA4096, false}, {signertest.RSA4096, true},
}

// TestSign makes a signature with each kind of key, with and without a time-stamp, and has
// it verified by this package, by go.mozilla.org/pkcs7 and by OpenSSL.
func TestSign(t *testing.T) {
	for _, k := range keys {
		for _, ts := range []signer.TimeStamper{nil, pki()} {
			name := string(k.kind)
			if k.pss {
				name += " PSS"
			}
			if ts != nil {
				name += " time-stamped"
			}
			t.Run(name, func(t *testing.T) {
				leaf := identity(t, k.kind)
				der := sign(t, leaf.Identity, k.pss, ts)
				checkOurs(t, der, leaf.Certificate, ts != nil)
				if !k.pss {
					checkMozilla(t, der)
				}
				checkOpenSSL(t, der)
				token := 0
				if ts != nil {
					token = len(parse(t, der).Signers[0].TimeStampTokens()[0])
				}
				if n := cms.EstimateSize(leaf.Certificate, leaf.Chain, token); n < len(der) || n > len(der)+400 {
					t.Errorf("estimated %d bytes, needed %d", n, len(der))
				}
			})
		}
	}
}

func checkOurs(t *testing.T, der []byte, cert *x509.Certificate, stamped bool) {
	t.Helper()
	sd := parse(t, der)
	if !sd.Canonical || sd.Content != nil || len(sd.Certificates) != 3 || len(sd.Signers) != 1 {
		t.Errorf("canonical %v, content %v, %d certificates, %d signers", sd.Canonical, sd.Content, len(sd.Certificates), len(sd.Signers))
	}
	v := sd.Verify(cms.BytesOf(content))[0]
	if err := v.Err(); err != nil || !v.Signer.Equal(cert) || len(v.Weaknesses) != 0 || v.ESSVersion != 2 {
		t.Errorf("%v, signer %v, weaknesses %v, ESS v%d", err, v.Signer.Subject, v.Weaknesses, v.ESSVersion)
	}
	if sd.Signers[0].HasSignedAttribute(cms.OIDSigningTime) {
		t.Error("signing-time is not for PAdES")
	}
	if got := len(sd.Signers[0].TimeStampTokens()); (got == 1) != stamped {
		t.Errorf("%d time-stamp tokens", got)
	}
	if err := sd.Verify(cms.BytesOf([]byte("other")))[0].Err(); !errors.Is(err, cms.ErrDigest) {
		t.Errorf("other content: %v", err)
	}
}

func checkMozilla(t *testing.T, der []byte) {
	t.Helper()
	p7, err := pkcs7.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	p7.Content = content
	if err := p7.VerifyWithChain(pki().RootPool()); err != nil {
		t.Errorf("go.mozilla.org/pkcs7: %v", err)
	}
}

func openssl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	out, err := exec.Command("openssl", args...).CombinedOutput()
	return string(out), err
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func pemFile(t *testing.T, kind string, der []byte) string {
	return write(t, "x.pem", pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func checkOpenSSL(t *testing.T, der []byte) {
	t.Helper()
	out, err := openssl(t, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", write(t, "sig.der", der),
		"-content", write(t, "content", content), "-CAfile", pemFile(t, "CERTIFICATE", pki().Root.Certificate.Raw),
		"-purpose", "any", "-out", os.DevNull)
	if err != nil || !strings.Contains(out, "CAdES Verification successful") {
		t.Errorf("openssl: %v\n%s", err, out)
	}
}

// TestOpenSSLSignatures reads what OpenSSL makes: BER with indefinite lengths, other
// hashes, the signer named by key identifier.
func TestOpenSSLSignatures(t *testing.T) {
	tests := []struct {
		name string
		args []string
		weak []cms.Weakness
		fail cms.CheckID
	}{
		{"cades", []string{"-cades", "-md", "sha256"}, nil, ""},
		{"sha384", []string{"-cades", "-md", "sha384"}, nil, ""},
		{"sha512 pss", []string{"-cades", "-md", "sha512", "-keyopt", "rsa_padding_mode:pss"}, nil, ""},
		{"ber", []string{"-cades", "-md", "sha256", "-stream", "-nodetach"}, nil, ""},
		{"keyid", []string{"-cades", "-md", "sha256", "-keyid"}, nil, ""},
		{"sha1", []string{"-cades", "-md", "sha1"}, []cms.Weakness{cms.WeakDigest, cms.WeakESS, cms.WeakSignature}, ""},
		{"no ess", []string{"-md", "sha256"}, nil, cms.CheckESS},
		{"no attributes", []string{"-md", "sha256", "-noattr"}, nil, cms.CheckAttributes},
	}
	leaf := identity(t, signertest.RSA2048)
	key, err := x509.MarshalPKCS8PrivateKey(leaf.Private)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			outFile := filepath.Join(t.TempDir(), "out.der")
			args := append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-out", outFile, "-in", write(t, "content", content),
				"-signer", pemFile(t, "CERTIFICATE", leaf.Certificate.Raw), "-inkey", pemFile(t, "PRIVATE KEY", key)}, tt.args...)
			if out, err := openssl(t, args...); err != nil {
				t.Fatal(out)
			}
			der, err := os.ReadFile(outFile)
			if err != nil {
				t.Fatal(err)
			}
			sd := parse(t, der)
			if tt.name == "ber" && (sd.Canonical || !bytes.Equal(sd.Content, content)) {
				t.Errorf("canonical %v, content %q", sd.Canonical, sd.Content)
			}
			v := sd.Verify(cms.BytesOf(content))[0]
			if tt.fail == "" && v.Err() != nil {
				t.Error(v.Err())
			}
			if tt.fail != "" && v.Check(tt.fail).Outcome != cms.Failed {
				t.Errorf("%s: %+v", tt.fail, v.Checks)
			}
			if v.Check(cms.CheckSignature).Outcome != cms.Passed {
				t.Errorf("signature value: %v", v.Check(cms.CheckSignature))
			}
			if strings.Join(strs(v.Weaknesses), ",") != strings.Join(strs(tt.weak), ",") {
				t.Errorf("weaknesses %v, want %v", v.Weaknesses, tt.weak)
			}
		})
	}
}

func strs(ws []cms.Weakness) []string {
	var out []string
	for _, w := range ws {
		out = append(out, string(w))
	}
	return out
}

// TestEveryChangedByte flips each bit-pattern of each byte: whatever still verifies says the
// same as before about the signer and the content.
func TestEveryChangedByte(t *testing.T) {
	for _, k := range keys[:1] {
		leaf := identity(t, k.kind)
		der := sign(t, leaf.Identity, k.pss, nil)
		accepted := 0
		for i := range der {
			for _, bit := range []byte{1, 0x20, 0x80, 0xff} {
				changed := bytes.Clone(der)
				changed[i] ^= bit
				sd, err := cms.Parse(changed)
				if err != nil {
					continue
				}
				for _, v := range sd.Verify(cms.BytesOf(content)) {
					if v.Err() != nil {
						continue
					}
					accepted++
					if !v.Signer.Equal(leaf.Certificate) || v.Digest != crypto.SHA256 || v.Algorithm.Hash != crypto.SHA256 {
						t.Fatalf("byte %d ^ %#x: signer %v, %s, %s", i, bit, v.Signer.Subject, v.Digest, v.Algorithm)
					}
				}
			}
		}
		// the chain's certificates and the version are not signed
		if accepted == 0 || accepted > 4*(len(der)-len(leaf.Certificate.Raw)) {
			t.Errorf("%d changes made no difference", accepted)
		}
	}
}

func TestSplit(t *testing.T) {
	der := sign(t, identity(t, signertest.P256).Identity, false, nil)
	tests := []struct {
		name string
		in   []byte
		ok   bool
	}{
		{"no padding", der, true},
		{"zeros", append(bytes.Clone(der), make([]byte, 4096)...), true},
		{"something after", append(append(bytes.Clone(der), 0, 0), "x"...), false},
		{"second CMS", append(bytes.Clone(der), der...), false},
		{"cut off", der[:len(der)-1], false},
		{"empty", nil, false},
	}
	for _, tt := range tests {
		element, padding, err := cms.Split(tt.in)
		if (err == nil) != tt.ok || (err != nil && !errors.Is(err, cms.ErrSyntax)) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.ok && (!bytes.Equal(element, der) || len(element)+len(padding) != len(tt.in)) {
			t.Errorf("%s: %d bytes and %d of padding", tt.name, len(element), len(padding))
		}
	}
	if _, err := cms.Parse(append(bytes.Clone(der), 0)); !errors.Is(err, cms.ErrSyntax) {
		t.Errorf("Parse with padding: %v", err)
	}
}

func TestParseIsBounded(t *testing.T) {
	deep := bytes.Repeat([]byte{0x30, 0x80}, 100_000)
	wide := bytes.Repeat([]byte{0x05, 0x00}, 2<<20)
	tests := map[string][]byte{
		"deep":       deep,
		"wide":       append([]byte{0x30, 0x84, 0, 0x40, 0, 0}, wide...),
		"huge":       make([]byte, cms.MaxBytes+1),
		"length":     {0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
		"length 5":   {0x30, 0x85, 1, 0, 0, 0, 0},
		"long tag":   {0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0},
		"unended":    {0x30, 0x80, 0x02, 0x01, 0x01},
		"primitive∞": {0x04, 0x80, 0, 0},
		"other type": {0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01},
	}
	for name, in := range tests {
		start := time.Now()
		if _, err := cms.Parse(in); !errors.Is(err, cms.ErrSyntax) {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s took %v", name, d)
		}
	}
}

// TestSignRefusesForeignCertificate: the certificate of another key must not go out with a
// signature that does not verify under it.
func TestSignRefusesForeignCertificate(t *testing.T) {
	a, b := identity(t, signertest.P256), identity(t, signertest.P256)
	digest := sha256.Sum256(content)
	mixed := signer.Identity{Key: a.Key, Certificate: b.Certificate}
	if _, err := cms.Sign(context.Background(), mixed, digest[:], cms.Options{}); !errors.Is(err, signer.ErrKeyRefused) {
		t.Errorf("got %v", err)
	}
}

func TestSignedAttributesRefusesWeakOrWrong(t *testing.T) {
	cert := identity(t, signertest.P256).Certificate
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.MD5, crypto.SHA224, 0} {
		if _, err := cms.SignedAttributes(make([]byte, 20), h, cert); !errors.Is(err, cms.ErrAlgorithm) {
			t.Errorf("%v: %v", h, err)
		}
	}
	if _, err := cms.SignedAttributes(make([]byte, 31), crypto.SHA256, cert); err == nil {
		t.Error("31 bytes were taken for a SHA-256 digest")
	}
	if _, err := cms.SignedAttributes(make([]byte, 32), crypto.SHA256, nil); err == nil {
		t.Error("signed attributes without a certificate")
	}
}
