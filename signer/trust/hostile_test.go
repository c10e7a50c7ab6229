package trust

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/signertest"
)

// party is a certificate with its key.
type party struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (w *world) root() party { return party{w.pki.Root.Certificate, w.pki.Root.Private} }

// certify makes a certificate for a new key, or for that of another, under an issuer.
func (w *world) certify(t testing.TB, issuer party, template x509.Certificate, key crypto.Signer) party {
	t.Helper()
	if key == nil {
		var err error
		if key, err = signertest.GenerateKey(signertest.P256); err != nil {
			t.Fatal(err)
		}
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, w.clock().Add(-time.Hour), w.clock().AddDate(1, 0, 0)
	return party{w.sign(t, &template, issuer.cert, key.Public(), issuer.key), key}
}

// ca is a template of an authority.
func ca(name string) x509.Certificate {
	return x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
}

func mustURL(t *testing.T, s string) []*url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return []*url.URL{u}
}

// TestNamesOfEveryForm: each form of name under a permitted and under an excluded subtree.
func TestNamesOfEveryForm(t *testing.T) {
	w := newWorld(t)
	network := &net.IPNet{IP: net.IPv4(10, 1, 0, 0).To4(), Mask: net.CIDRMask(16, 32)}
	permit, exclude := ca("Permits"), ca("Excludes")
	permit.PermittedDNSDomains, permit.PermittedIPRanges = []string{"xa.gov.vn"}, []*net.IPNet{network}
	permit.PermittedURIDomains, permit.PermittedEmailAddresses = []string{".xa.gov.vn"}, []string{"chutich@xa.gov.vn", ".huyen.gov.vn"}
	exclude.ExcludedDNSDomains, exclude.ExcludedIPRanges = permit.PermittedDNSDomains, permit.PermittedIPRanges
	exclude.ExcludedURIDomains, exclude.ExcludedEmailAddresses = permit.PermittedURIDomains, permit.PermittedEmailAddresses
	tests := []struct {
		name    string
		names   x509.Certificate
		in, odd bool // odd: neither permitted nor let through where something is excluded
	}{
		{"host", x509.Certificate{DNSNames: []string{"XA.gov.vn"}}, true, false},
		{"host below", x509.Certificate{DNSNames: []string{"cong.xa.gov.vn"}}, true, false},
		{"host that ends alike", x509.Certificate{DNSNames: []string{"evilxa.gov.vn"}}, false, false},
		{"one host of two", x509.Certificate{DNSNames: []string{"xa.gov.vn", "evil.example"}}, false, true},
		{"address", x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 1, 2, 3)}}, true, false},
		{"address outside", x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 2, 2, 3)}}, false, false},
		{"address of the other kind", x509.Certificate{IPAddresses: []net.IP{net.ParseIP("2001:db8::1")}}, false, false},
		{"URI below", x509.Certificate{URIs: mustURL(t, "https://cong.xa.gov.vn/x")}, true, false},
		{"URI of the domain itself", x509.Certificate{URIs: mustURL(t, "https://xa.gov.vn/x")}, false, false},
		{"URI of an address", x509.Certificate{URIs: mustURL(t, "https://10.1.2.3/")}, false, true},
		{"URI without host", x509.Certificate{URIs: mustURL(t, "urn:x:y")}, false, true},
		{"mail address", x509.Certificate{EmailAddresses: []string{"chutich@XA.gov.vn"}}, true, false},
		{"mail of another person", x509.Certificate{EmailAddresses: []string{"khac@xa.gov.vn"}}, false, false},
		{"mail in the domain", x509.Certificate{EmailAddresses: []string{"an@phong.huyen.gov.vn"}}, true, false},
	}
	for _, tt := range tests {
		for authority, isExcluding := range map[*x509.Certificate]bool{&permit: false, &exclude: true} {
			issuer := w.certify(t, w.root(), *authority, nil)
			tt.names.Subject, tt.names.KeyUsage = pkix.Name{CommonName: tt.name}, x509.KeyUsageDigitalSignature
			leaf := w.certify(t, issuer, tt.names, nil)
			_, err := BuildPath(leaf.cert, []*x509.Certificate{issuer.cert}, w.validator.Store, w.clock(), Signing)
			good := tt.in != isExcluding && !tt.odd
			if good && err != nil || !good && !errors.Is(err, ErrConstraints) {
				t.Errorf("%s, excluding %v: %v", tt.name, isExcluding, err)
			}
		}
	}
}

// TestDirectoryNameConstraints: names in another spelling are the same names.
func TestDirectoryNameConstraints(t *testing.T) {
	w := newWorld(t)
	base, err := asn1.Marshal(pkix.Name{Country: []string{"VN"}, Organization: []string{"UBND xã  ÂN TƯỜNG"}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	type subtree struct{ Base asn1.RawValue }
	value, err := asn1.Marshal(struct {
		Permitted []subtree `asn1:"optional,tag:0"`
	}{[]subtree{{asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: base}}}})
	if err != nil {
		t.Fatal(err)
	}
	template := ca("Of one commune")
	template.ExtraExtensions = []pkix.Extension{{Id: oidNameConstraints, Critical: true, Value: value}}
	issuer := w.certify(t, w.root(), template, nil)
	for organization, want := range map[string]error{
		"ubnd xã ân tường":         nil,
		" UBND xa\u0303 ân tường ": nil, // the accent on its own
		"UBND xa an tuong":         ErrConstraints,
		"UBND xã Ân Tường Đông":    ErrConstraints,
	} {
		leaf := w.certify(t, issuer, x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature,
			Subject: pkix.Name{Country: []string{"vn"}, Organization: []string{organization}, CommonName: "An"}}, nil)
		if _, err := BuildPath(leaf.cert, []*x509.Certificate{issuer.cert}, w.validator.Store, w.clock(), Signing); !errors.Is(err, want) {
			t.Errorf("%q: %v", organization, err)
		}
	}
}

// TestPathsAreBounded: authorities that all certify one another, and policies that all map to
// one another, take no longer than a glance.
func TestPathsAreBounded(t *testing.T) {
	w := newWorld(t)
	var keys []crypto.Signer
	for range 12 {
		keys = append(keys, w.certify(t, w.root(), ca("x"), nil).key)
	}
	var others []*x509.Certificate
	for i, key := range keys {
		for _, by := range keys {
			issuer := party{&x509.Certificate{Subject: pkix.Name{CommonName: "Ring"}}, by}
			template := ca("Ring")
			template.SubjectKeyId = []byte{byte(i)}
			others = append(others, w.certify(t, issuer, template, key).cert)
		}
	}
	leaf := w.certify(t, party{others[0], keys[0]}, x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}}, nil)
	began := time.Now()
	if _, err := BuildPath(leaf.cert, others, w.validator.Store, w.clock(), Signing); !errors.Is(err, ErrNoPath) {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("a ring of authorities took %v", took)
	}
}

// TestPoliciesAreBounded: the tree of RFC 5280 would have 9^8 leaves (RFC 9618 §2).
func TestPoliciesAreBounded(t *testing.T) {
	w := newWorld(t)
	policy := func(n int) x509.OID {
		id, err := x509.OIDFromInts([]uint64{1, 2, 3, uint64(n)})
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	issuer, others := w.root(), []*x509.Certificate(nil)
	for range 8 {
		template := ca("Maps everything")
		template.Subject.SerialNumber = string(rune('a' + len(others)))
		type mapping struct{ From, To asn1.ObjectIdentifier }
		var mappings []mapping
		for i := range 9 {
			template.Policies = append(template.Policies, policy(i))
			for j := range 9 {
				mappings = append(mappings, mapping{asn1.ObjectIdentifier{1, 2, 3, i}, asn1.ObjectIdentifier{1, 2, 3, j}})
			}
		}
		value, err := asn1.Marshal(mappings)
		if err != nil {
			t.Fatal(err)
		}
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 33}, Critical: true, Value: value}}
		issuer = w.certify(t, issuer, template, nil)
		others = append(others, issuer.cert)
	}
	leaf := w.certify(t, issuer, x509.Certificate{Subject: pkix.Name{CommonName: "leaf"}, Policies: []x509.OID{policy(0)}}, nil)
	began := time.Now()
	path, err := BuildPath(leaf.cert, others, w.validator.Store, w.clock(), Signing)
	if err != nil || len(path.Policies) != 9 {
		t.Errorf("%v, policies %v", err, path.Policies)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("policies took %v", took)
	}
}

// TestCRLOfAnImpostor: a list by a stranger with the authority's name proves nothing, even if
// his certificate is at hand; one by a key that the root certified for lists does.
func TestCRLOfAnImpostor(t *testing.T) {
	w := newWorld(t)
	cert := w.official(t)
	name := w.pki.Issuing.Certificate.Subject
	template := x509.Certificate{Subject: name, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}}
	stranger := newWorld(t)
	parties := map[string]party{
		"impostor":                 stranger.certify(t, stranger.root(), template, nil),
		"key of the authority":     w.certify(t, party{w.pki.Issuing.Certificate, w.pki.Issuing.Private}, template, nil),
		"signer of lists, by root": w.certify(t, w.root(), template, nil),
	}
	for who, by := range parties {
		list := &x509.RevocationList{Number: big.NewInt(2), ThisUpdate: w.clock().Add(-time.Hour), NextUpdate: w.clock().Add(time.Hour)}
		der, err := x509.CreateRevocationList(rand.Reader, list, by.cert, by.key)
		if err != nil {
			t.Fatal(err)
		}
		rootCRL, err := w.pki.CRL(w.pki.Root)
		if err != nil {
			t.Fatal(err)
		}
		offline := Validator{Store: w.validator.Store}
		r := offline.Validate(t.Context(), Question{Certificate: cert, Untrusted: append(w.others(), by.cert), At: w.clock(), Now: w.clock(),
			Evidence: NewEvidence(nil, [][]byte{der, rootCRL})})
		good := who != "impostor"
		if good && r.Err() != nil || !good && !errors.Is(r.Err(), ErrRevocationUnknown) {
			t.Errorf("%s: %v", who, r.Err())
		}
	}
}

func FuzzCertificateExtensions(f *testing.F) {
	w := newWorld(f)
	cert := w.official(f)
	f.Add(cert.RawSubject, []byte{0x30, 0x00})
	f.Add(cert.RawIssuer, extension(cert, oidDistributionPoints))
	f.Add([]byte{}, extension(w.pki.Issuing.Certificate, oidNameConstraints))
	f.Fuzz(func(t *testing.T, subject, der []byte) {
		if n := parseName(subject); n != nil && !n.within(n) {
			t.Error("a name outside itself")
		}
		if parseName(subject) != nil && !sameName(subject, subject) {
			t.Error("a name that differs from itself")
		}
		c := &x509.Certificate{RawSubject: subject, RawIssuer: subject, Extensions: []pkix.Extension{{Id: oidNameConstraints, Value: der},
			{Id: oidSubjectAltName, Value: der}, {Id: oidDistributionPoints, Value: der}}}
		names, err := namesOf(c)
		if constraints, bad := constraintsOf(c); err == nil && bad == nil && constraints != nil {
			_ = constraints.check(names)
		}
		_, _ = parseScope(der, subject)
		for _, p := range pointsOf(c, parseName(subject)) {
			p.covers(&crl{RevocationList: &x509.RevocationList{}, scope: crlScope{names: names}}, c, parseName(subject))
		}
	})
}
