package trust

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// pkits is NIST's Public Key Interoperability Test Suite: certificates by file name, nil if
// crypto/x509 cannot read one, and CRLs in DER.
type pkits struct {
	certs map[string]*x509.Certificate
	crls  map[string][]byte
}

type pkitsCase struct {
	section, want string
	cert          string
	others, crls  []string
	inputs        []string
}

// pkitsDiffer are the cases that come out otherwise here, by certificate, and why.
var pkitsDiffer = map[string]string{
	"ValidDSASignaturesTest4EE.crt":           "DSA is refused: withdrawn by FIPS 186-5, in no list of ETSI TS 119 312",
	"ValidDSAParameterInheritanceTest5EE.crt": "DSA is refused: withdrawn by FIPS 186-5, in no list of ETSI TS 119 312",
	"ValiddistributionPointTest4EE.crt":       "a distribution point relative to the CRL's issuer, which authorities should not write (RFC 5280 §4.2.1.13), makes the certificate unreadable",
	"ValiddistributionPointTest5EE.crt":       "a distribution point relative to the CRL's issuer, which authorities should not write (RFC 5280 §4.2.1.13), makes the certificate unreadable",
	"ValidcRLIssuerTest29EE.crt":              "a distribution point relative to the CRL's issuer, which authorities should not write (RFC 5280 §4.2.1.13), makes the certificate unreadable",
}

func readPKITS(t *testing.T) (pkits, []pkitsCase) {
	t.Helper()
	f, err := os.Open("testdata/pkits.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	p := pkits{certs: map[string]*x509.Certificate{}, crls: map[string][]byte{}}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(io.LimitReader(r, 1<<20))
		if err != nil {
			t.Fatal(err)
		}
		switch path.Ext(h.Name) {
		case ".crt":
			p.certs[path.Base(h.Name)], _ = x509.ParseCertificate(data)
		case ".crl":
			p.crls[path.Base(h.Name)] = data
		}
	}
	return p, pkitsCases(t)
}

func pkitsCases(t *testing.T) []pkitsCase {
	t.Helper()
	data, err := os.ReadFile("testdata/pkits.txt")
	if err != nil {
		t.Fatal(err)
	}
	var cases []pkitsCase
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		list := func(s string) []string { return strings.Fields(strings.TrimPrefix(s, "-")) }
		if len(f) != 6 {
			t.Fatalf("%q", line)
		}
		cases = append(cases, pkitsCase{section: f[0], want: f[1], cert: f[2], others: list(f[3]), crls: list(f[4]), inputs: list(f[5])})
	}
	return cases
}

func (c pkitsCase) policies() Policies {
	var p Policies
	for _, input := range c.inputs {
		switch input {
		case "explicit":
			p.RequireExplicit = true
		case "no-mapping":
			p.InhibitMapping = true
		case "no-any":
			p.InhibitAny = true
		default:
			p.Acceptable = append(p.Acceptable, "2.16.840.1.101.3.2.1.48."+strings.TrimPrefix(input, "policy-"))
		}
	}
	return p
}

// all is every certificate and every CRL of the suite.
func (p pkits) all() ([]*x509.Certificate, *Evidence) {
	certs := slices.DeleteFunc(slices.Collect(maps.Values(p.certs)), func(c *x509.Certificate) bool { return c == nil })
	return certs, NewEvidence(nil, slices.Collect(maps.Values(p.crls)))
}

// own are the certificates and CRLs that a case names.
func (p pkits) own(c pkitsCase) ([]*x509.Certificate, *Evidence) {
	var certs []*x509.Certificate
	for _, name := range c.others {
		if p.certs[name] != nil {
			certs = append(certs, p.certs[name])
		}
	}
	crls := [][]byte{p.crls["TrustAnchorRootCRL.crl"]}
	for _, name := range c.crls {
		crls = append(crls, p.crls[name])
	}
	return certs, NewEvidence(nil, crls)
}

// validate runs a case with the certificates and CRLs at hand.
func (p pkits) validate(t *testing.T, c pkitsCase, others []*x509.Certificate, evidence *Evidence) error {
	cert := p.certs[c.cert]
	if cert == nil {
		return errors.New("certificate cannot be read")
	}
	at := time.Date(2022, 5, 1, 0, 0, 0, 0, time.UTC)
	v := Validator{Store: NewStoreOf(p.certs["TrustAnchorRootCertificate.crt"]), Policies: c.policies()}
	return v.Validate(t.Context(), Question{Certificate: cert, Untrusted: others, Evidence: evidence, At: at, Now: at}).Err()
}

// outcome names an error as docs/pkits.md does.
func outcome(err error) string {
	if err == nil {
		return "valid"
	}
	for _, kind := range []error{ErrNoPath, ErrConstraints, ErrExpired, ErrNotYetValid, ErrKeyUsage, ErrWeakKey, ErrRevoked, ErrRevocationUnknown} {
		if errors.Is(err, kind) {
			lines := strings.Split(err.Error(), "\n")
			parts := strings.Split(lines[len(lines)-1], ": ")
			return strings.TrimSuffix("invalid: "+kind.Error()+": "+parts[len(parts)-1], ": "+kind.Error())
		}
	}
	return "invalid: " + err.Error()
}

// TestPKITS runs every case of the suite that concerns the validation of paths, each with its
// own files and with all files at hand, and holds docs/pkits.md to what came out.
func TestPKITS(t *testing.T) {
	p, cases := readPKITS(t)
	everyone, everything := p.all()
	var rows bytes.Buffer
	differ := map[string]bool{}
	for _, c := range cases {
		others, evidence := p.own(c)
		err := p.validate(t, c, others, evidence)
		why := ""
		if (err == nil) != (c.want == "valid") {
			why = pkitsDiffer[c.cert]
			differ[c.cert] = true
			if why == "" || err == nil {
				t.Errorf("%s %s %v: %v", c.section, c.cert, c.inputs, err)
			}
		}
		if all := p.validate(t, c, everyone, everything); (all == nil) != (err == nil) {
			t.Errorf("%s %s %v: alone %v, among all files %v", c.section, c.cert, c.inputs, err, all)
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | %s | %s | %s |\n", c.section, strings.TrimSuffix(c.cert, ".crt"), strings.Join(c.inputs, ", "), c.want, outcome(err), why)
	}
	for cert := range pkitsDiffer {
		if !differ[cert] {
			t.Errorf("%s does not differ any more", cert)
		}
	}
	checkDocument(t, filepath.Join("..", "..", "docs", "pkits.md"), fmt.Sprintf(pkitsHead, len(cases), len(cases)-len(differ), len(differ))+rows.String())
}

// checkDocument compares a document with what it should say; SAOY_WRITE_DOCS=1 writes it.
func checkDocument(t *testing.T, file, want string) {
	t.Helper()
	if os.Getenv("SAOY_WRITE_DOCS") == "1" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s is not what this run found; SAOY_WRITE_DOCS=1 go test ./signer/trust -run PKITS writes it (%v)", file, err)
	}
}

const pkitsHead = `# NIST PKITS

Every case of NIST's Public Key Interoperability Test Suite (version 1.0.1, 2011) that concerns the
validation of paths and CRLs, run against ` + "`signer/trust`" + ` by its tests, which also hold this table to
what they find: %d cases, %d as NIST says, %d otherwise. Each is run twice: with the certificates and CRLs that NIST
names for it, and with all certificates and CRLs of the suite at hand at once; both must agree.

Inputs of path validation (RFC 5280 §6.1.1): *explicit* initial-explicit-policy, *no-mapping*
initial-policy-mapping-inhibit, *no-any* initial-any-policy-inhibit, *policy-n* NIST-test-policy-n in the
user-initial-policy-set. Revocation is checked in every case, for every certificate but the anchor.

| case | certificate | inputs | NIST | here | why otherwise |
|---|---|---|---|---|---|
`
