package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/signertest"
)

// TestOneListForAll: the list of an authority is fetched once for all its certificates, judged for
// each, and again when it is older than wanted.
func TestOneListForAll(t *testing.T) {
	w := newWorld(t)
	w.pki.SetFault(signertest.OCSPService, signertest.Unavailable)
	bad := w.official(t)
	if err := w.pki.Revoke(bad, w.clock().Add(-time.Minute), 1); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		if err := w.ask(t, w.official(t)).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.ask(t, bad).Err(); !errors.Is(err, ErrRevoked) {
		t.Error(err)
	}
	if n := w.calls["/crl/issuing.crl"]; n != 1 {
		t.Errorf("%d calls for one list", n)
	}
	w.pass(20 * time.Minute)
	w.validator.MaxAge = 10 * time.Minute
	if err := w.ask(t, w.official(t)).Err(); err != nil || w.calls["/crl/issuing.crl"] != 2 {
		t.Errorf("%v after %d calls", err, w.calls["/crl/issuing.crl"])
	}
}

// TestAListThatFailsIsNotKept: what did not verify is fetched again.
func TestAListThatFailsIsNotKept(t *testing.T) {
	w := newWorld(t)
	f := signertest.Official("Phạm Văn Dũng", "", "", "")
	f.WithoutOCSP = true
	cert := w.issue(t, f)
	w.pki.SetFault(signertest.CRLService, signertest.Forged)
	if err := w.ask(t, cert).Err(); !errors.Is(err, ErrRevocationUnknown) || errors.Is(err, signer.ErrUnavailable) {
		t.Error(err)
	}
	w.pki.SetFault(signertest.CRLService, signertest.Honest)
	if err := w.ask(t, cert).Err(); err != nil {
		t.Error(err)
	}
}

// TestTheAnchorsListFirst: where a responder and a list are both the anchor's, the list is
// taken; the responder, if the list cannot be had.
func TestTheAnchorsListFirst(t *testing.T) {
	w := newWorld(t)
	data, err := w.collector().Collect(t.Context(), w.official(t), nil)
	if err != nil || len(data.CRLs) != 1 || len(data.OCSPs) != 1 {
		t.Errorf("%v, %d lists, %d responses", err, len(data.CRLs), len(data.OCSPs))
	}
	w = newWorld(t)
	w.pki.SetFault(signertest.CRLService, signertest.Stale)
	data, err = w.collector().Collect(t.Context(), w.official(t), nil)
	if err != nil || len(data.CRLs) != 0 || len(data.OCSPs) != 2 {
		t.Errorf("without lists: %v, %d lists, %d responses", err, len(data.CRLs), len(data.OCSPs))
	}
}

// fetched answers one address with something else.
type fetched struct {
	*world
	path string
	body []byte
}

func (f fetched) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != f.path {
		return f.world.RoundTrip(r)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[r.URL.Path]++
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(f.body)), Request: r}, nil
}

// certsOnly makes a CMS message without signers (RFC 5652 §5.1), as authorities serve it in
// .p7c files.
func certsOnly(t *testing.T, certs ...*x509.Certificate) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(cbasn1.SET, func(*cryptobyte.Builder) {})
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})
				})
				b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) {
					for _, c := range certs {
						b.AddBytes(c.Raw)
					}
				})
				b.AddASN1(cbasn1.SET, func(*cryptobyte.Builder) {})
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestIssuersInEveryForm: a certificate alone, in PEM, in CMS; and what is none, or another's.
func TestIssuersInEveryForm(t *testing.T) {
	w, stranger := newWorld(t), newWorld(t)
	cert, issuing := w.official(t), w.pki.Issuing.Certificate
	address, err := url.Parse(cert.IssuingCertificateURL[0])
	if err != nil {
		t.Fatal(err)
	}
	inPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issuing.Raw})
	for name, tt := range map[string]struct {
		body []byte
		want error
	}{
		"DER":             {issuing.Raw, nil},
		"PEM":             {inPEM, nil},
		"CMS":             {certsOnly(t, w.pki.Root.Certificate, issuing), nil},
		"CMS of nothing":  {certsOnly(t), ErrNoPath},
		"another's":       {stranger.pki.Issuing.Certificate.Raw, ErrNoPath},
		"an error's page": {[]byte("<html>"), ErrNoPath},
	} {
		f := fetched{w, address.Path, tt.body}
		w.calls = map[string]int{}
		w.validator.Source = NewSource(NewFetcher(FetcherConfig{Transport: f}), false)
		for range 3 {
			r := w.validator.Validate(t.Context(), Question{Certificate: cert, At: w.clock(), Now: w.clock()})
			if !errors.Is(r.PathErr, tt.want) {
				t.Errorf("%s: %v", name, r.PathErr)
			}
		}
		if tt.want == nil && w.calls[address.Path] != 1 {
			t.Errorf("%s: fetched %d times", name, w.calls[address.Path])
		}
	}
}

// TestDirectoriesAreNotAsked: an ldap address is passed over; it is no attempt upon us.
func TestDirectoriesAreNotAsked(t *testing.T) {
	w := newWorld(t)
	f := signertest.Official("Đỗ Văn Em", "", "", "")
	f.CRLURL = "ldap:///CN=CA,DC=xa?certificateRevocationList"
	cert := w.issue(t, f)
	if err := w.ask(t, cert).Err(); err != nil {
		t.Errorf("with OCSP beside it: %v", err)
	}
	w.pki.SetFault(signertest.OCSPService, signertest.Unavailable)
	w.validator.Source = w.source(false)
	err := w.ask(t, cert).Err()
	if !errors.Is(err, signer.ErrUnavailable) || errors.Is(err, ErrForbiddenAddress) {
		t.Errorf("with OCSP down: %v", err)
	}
}
