package cms_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
)

// attribute is the DER of one attribute, for structures that Build would not make.
func attribute(t *testing.T, oid asn1.ObjectIdentifier, values ...any) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
			for _, v := range values {
				if raw, ok := v.(asn1.RawContent); ok {
					b.AddBytes(raw)
					continue
				}
				der, err := asn1.Marshal(v)
				if err != nil {
					t.Fatal(err)
				}
				b.AddBytes(der)
			}
		})
	})
	return b.BytesOrPanic()
}

func set(sorted bool, elements ...[]byte) []byte {
	if sorted {
		slices.SortFunc(elements, bytes.Compare)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		for _, e := range elements {
			b.AddBytes(e)
		}
	})
	return b.BytesOrPanic()
}

// essOf takes the ESS attribute value for a certificate from proper signed attributes.
func essOf(t *testing.T, h crypto.Hash, cert *x509.Certificate) asn1.RawContent {
	t.Helper()
	leaf := identity(t, signertest.P256)
	attrs, err := cms.SignedAttributes(make([]byte, h.Size()), h, cert)
	if err != nil {
		t.Fatal(err)
	}
	der, err := cms.Build(cms.Input{Attributes: attrs, Signature: []byte{1}, Algorithm: cms.Algorithm{Scheme: cms.ECDSA, Hash: h}, Certificate: leaf.Certificate})
	if err != nil {
		t.Fatal(err)
	}
	value, _ := parse(t, der).Signers[0].SignedAttribute(cms.OIDSigningCertificateV2)
	return value
}

// TestHostile signs structures that break one rule each, with a genuine key.
func TestHostile(t *testing.T) {
	leaf, other := identity(t, signertest.P256), identity(t, signertest.P256)
	digest := sum(crypto.SHA256, content)
	contentType := attribute(t, cms.OIDContentType, cms.OIDData)
	messageDigest := attribute(t, cms.OIDMessageDigest, digest)
	ess := attribute(t, cms.OIDSigningCertificateV2, essOf(t, crypto.SHA256, leaf.Certificate))
	tests := []struct {
		name  string
		attrs []byte
		fails []cms.CheckID
	}{
		{"proper", set(true, contentType, messageDigest, ess), nil},
		{"no message-digest", set(true, contentType, ess), []cms.CheckID{cms.CheckDigest}},
		{"message-digest twice", set(true, contentType, messageDigest, attribute(t, cms.OIDMessageDigest, make([]byte, 32)), ess), []cms.CheckID{cms.CheckAttributes, cms.CheckDigest}},
		{"message-digest with two values", set(true, contentType, attribute(t, cms.OIDMessageDigest, digest, make([]byte, 32)), ess), []cms.CheckID{cms.CheckDigest}},
		{"message-digest of nothing", set(true, contentType, attribute(t, cms.OIDMessageDigest, []byte{}), ess), []cms.CheckID{cms.CheckDigest}},
		{"content-type is TSTInfo", set(true, attribute(t, cms.OIDContentType, cms.OIDTSTInfo), messageDigest, ess), []cms.CheckID{cms.CheckContentType}},
		{"no content-type", set(true, messageDigest, ess), []cms.CheckID{cms.CheckContentType}},
		{"no ESS", set(true, contentType, messageDigest), []cms.CheckID{cms.CheckESS}},
		{"ESS of another certificate", set(true, contentType, messageDigest, attribute(t, cms.OIDSigningCertificateV2, essOf(t, crypto.SHA256, other.Certificate))), []cms.CheckID{cms.CheckESS}},
		{"ESS twice", set(true, contentType, messageDigest, ess, attribute(t, cms.OIDSigningCertificateV2, essOf(t, crypto.SHA256, other.Certificate))), []cms.CheckID{cms.CheckAttributes, cms.CheckESS}},
		{"not sorted", set(false, ess, messageDigest, contentType), []cms.CheckID{cms.CheckAttributes}},
		{"other algorithms protected", set(true, contentType, messageDigest, ess, attribute(t, cms.OIDAlgorithmProtection, struct {
			Digest    []asn1.ObjectIdentifier
			Signature []asn1.ObjectIdentifier `asn1:"tag:1"`
		}{[]asn1.ObjectIdentifier{{2, 16, 840, 1, 101, 3, 4, 2, 1}}, []asn1.ObjectIdentifier{{1, 2, 840, 10045, 4, 3, 3}}})), []cms.CheckID{cms.CheckAlgorithmSeal}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signature, err := leaf.Key.Sign(t.Context(), sum(crypto.SHA256, tt.attrs), crypto.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			der, err := cms.Build(cms.Input{Attributes: tt.attrs, Signature: signature, Certificate: leaf.Certificate,
				Chain: []*x509.Certificate{other.Certificate}, Algorithm: cms.Algorithm{Scheme: cms.ECDSA, Hash: crypto.SHA256}})
			if err != nil {
				t.Fatal(err)
			}
			var failed []cms.CheckID
			for _, c := range parse(t, der).Verify(cms.BytesOf(content))[0].Checks {
				if c.Outcome == cms.Failed {
					failed = append(failed, c.ID)
				}
			}
			if !slices.Equal(failed, tt.fails) {
				t.Errorf("failed %v, want %v", failed, tt.fails)
			}
		})
	}
}

// TestTwinCertificate: somebody adds a certificate with the signer's issuer and serial number
// but his own key; it must not be taken for the signer's.
func TestTwinCertificate(t *testing.T) {
	leaf := identity(t, signertest.P256)
	key, err := signertest.GenerateKey(signertest.P256)
	if err != nil {
		t.Fatal(err)
	}
	template := *leaf.Certificate
	der, err := x509.CreateCertificate(rand.Reader, &template, pki().Issuing.Certificate, key.Public(), pki().Issuing.Private)
	if err != nil {
		t.Fatal(err)
	}
	twin, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sd := parse(t, sign(t, leaf.Identity, false, nil))
	sd.Certificates = append([]*x509.Certificate{twin}, sd.Certificates...)
	v := sd.Verify(cms.BytesOf(content))[0]
	if v.Err() != nil || !v.Signer.Equal(leaf.Certificate) {
		t.Errorf("%v, signer is the twin: %v", v.Err(), v.Signer.Equal(twin))
	}
	// and the other way round: a signature by the twin's key, with the genuine attributes
	sd.Certificates = []*x509.Certificate{twin}
	if v := sd.Verify(cms.BytesOf(content))[0]; v.Check(cms.CheckESS).Outcome != cms.Failed || v.Check(cms.CheckSignature).Outcome != cms.Failed {
		t.Errorf("only the twin: %+v", v.Checks)
	}
}

func TestMissingSigner(t *testing.T) {
	leaf := identity(t, signertest.P256)
	sd := parse(t, sign(t, leaf.Identity, false, nil))
	sd.Certificates = nil
	v := sd.Verify(cms.BytesOf(content))[0]
	if v.Err() == nil || v.Check(cms.CheckSignature).Outcome != cms.NotDone || v.Signer != nil {
		t.Errorf("%+v", v)
	}
	if v := sd.Verify(cms.BytesOf(content), leaf.Certificate)[0]; v.Err() != nil {
		t.Errorf("with the certificate at hand: %v", v.Err())
	}
}

var contentsHex = regexp.MustCompile(`/Contents\s*<([0-9A-Fa-f\s]{200,})>`)

// published is the content of a /Contents string.
type published struct {
	file string
	raw  []byte
}

// corpusSignatures gives the signatures in published files.
func corpusSignatures(tb testing.TB) []published {
	dir := os.Getenv("SAOY_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	var found []published
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".pdf" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range contentsHex.FindAllSubmatch(data, -1) {
			digits := bytes.Join(bytes.Fields(m[1]), nil)
			raw := make([]byte, len(digits)/2)
			if _, err := hex.Decode(raw, digits[:len(digits)&^1]); err == nil {
				found = append(found, published{filepath.Base(path), raw})
			}
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		tb.Skipf("no corpora in %s (%v)", dir, err)
	}
	return found
}

// TestCorpora reads the signatures of published files: most must be readable, and of those
// the signature value over the attributes must be right in most.
func TestCorpora(t *testing.T) {
	all := corpusSignatures(t)
	var parsed, right, signers int
	for _, p := range all {
		element, _, err := cms.Split(p.raw)
		if err != nil {
			t.Logf("%s: %v", p.file, err)
			continue
		}
		sd, err := cms.Parse(element)
		if err != nil {
			t.Logf("%s: %v", p.file, err)
			continue
		}
		parsed++
		for _, v := range sd.Verify(cms.BytesOf(nil)) {
			signers++
			if c := v.Check(cms.CheckSignature); c.Outcome == cms.Passed {
				right++
			} else {
				t.Logf("%s: %v: %v", p.file, v.Algorithm, c.Err)
			}
		}
	}
	t.Logf("%d signatures, %d readable, %d of %d signature values right", len(all), parsed, right, signers)
	if parsed*10 < len(all)*9 || right*10 < signers*8 {
		t.Errorf("%d signatures, only %d readable, %d of %d values right", len(all), parsed, right, signers)
	}
}

func FuzzParse(f *testing.F) {
	leaf := identity(f, signertest.P256)
	f.Add(sign(f, leaf.Identity, false, nil))
	f.Add(sign(f, leaf.Identity, false, pki()))
	f.Add([]byte{0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02, 0xa0, 0x80, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		sd, err := cms.Parse(in)
		if err != nil {
			return
		}
		for _, v := range sd.Verify(cms.BytesOf(content)) {
			if v.Err() == nil && v.Signer == nil {
				t.Error("verifies without a signer")
			}
		}
		for _, v := range sd.Verify(cms.BytesOf([]byte("something else"))) {
			if v.Err() == nil {
				t.Error("verifies over content that nobody signed")
			}
		}
		for _, si := range sd.Signers {
			for _, token := range si.TimeStampTokens() {
				_, _ = cms.Parse(token)
			}
		}
	})
}

// TestDigestAlgorithmsListTheSigners: a SignedData that says its content is digested with
// another hash than the signer's is no signature, and says why.
func TestDigestAlgorithmsListTheSigners(t *testing.T) {
	der := sign(t, identity(t, signertest.P256).Identity, false, nil)
	sha256 := []byte{0x31, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}
	at := bytes.Index(der, sha256)
	if at < 0 {
		t.Fatal("digestAlgorithms is not where it was")
	}
	for name, last := range map[string]byte{"as made": 1, "SHA-384": 2, "unknown": 0x7f} {
		changed := bytes.Clone(der)
		changed[at+len(sha256)-1] = last
		v := parse(t, changed).Verify(cms.BytesOf(content))[0]
		err := v.Check(cms.CheckAlgorithm).Err
		if want := last != 1; errors.Is(err, cms.ErrDigestAlgorithms) != want || errors.Is(err, cms.ErrFormat) != want || (v.Err() != nil) != want {
			t.Errorf("%s: %v, in all %v", name, err, v.Err())
		}
	}
}
