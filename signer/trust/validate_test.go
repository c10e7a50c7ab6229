package trust

import (
	"errors"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/signertest"
)

func (w *world) collector() *Collector {
	return &Collector{Validator: w.validator, Clock: w.clock}
}

// TestCollect: what Collect returns suffices to validate without a network, years later.
func TestCollect(t *testing.T) {
	w := newWorld(t)
	for name, cert := range map[string]*signertest.Leaf{"official": nil, "time-stamping": &w.pki.TSA} {
		t.Run(name, func(t *testing.T) {
			c := w.official(t)
			if cert != nil {
				c = cert.Certificate
			}
			signed := w.clock()
			data, err := w.collector().Collect(t.Context(), c, w.others())
			if err != nil {
				t.Fatal(err)
			}
			// leaf, issuing, root, responder; an answer about the leaf, the root's list about the issuing authority
			if len(data.Certs) != 4 || len(data.OCSPs) != 1 || len(data.CRLs) != 1 {
				t.Errorf("%d certificates, %d OCSP responses, %d CRLs", len(data.Certs), len(data.OCSPs), len(data.CRLs))
			}
			offline := Validator{Store: w.validator.Store}
			r := offline.Validate(t.Context(), Question{Certificate: c, Untrusted: w.others(), Purpose: PurposeOf(c),
				Evidence: NewEvidence(data.OCSPs, data.CRLs), At: signed, Now: signed.AddDate(8, 0, 0)})
			if r.Err() != nil || len(r.Standings) != 2 || r.Path.Anchor.Name != w.pki.Root.Certificate.Subject.String() {
				t.Errorf("eight years later: %v, %+v", r.Err(), r.Standings)
			}
		})
	}
}

func TestCollectFetchesMissingIssuers(t *testing.T) {
	w := newWorld(t)
	data, err := w.collector().Collect(t.Context(), w.official(t), nil)
	if err != nil || len(data.Certs) != 4 {
		t.Errorf("%d certificates, %v", len(data.Certs), err)
	}
	w.pki.SetFault(signertest.CAService, signertest.Unavailable)
	if _, err := w.collector().Collect(t.Context(), w.official(t), nil); err != nil {
		t.Errorf("issuer that was fetched before: %v", err)
	}
	w.validator.Source = w.source(false)
	if _, err := w.collector().Collect(t.Context(), w.official(t), nil); !errors.Is(err, ErrNoPath) {
		t.Errorf("without the issuer: %v", err)
	}
}

// TestFaults: what each fault of the OCSP service comes to, with CRLs served and without.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault signertest.Fault
		later bool // the error says that trying later may help
	}{
		{signertest.Slow, true},
		{signertest.Unavailable, true},
		{signertest.Throttled, true},
		{signertest.Garbage, true},
		{signertest.Endless, true},
		{signertest.Rejecting, true},
		{signertest.WrongNonce, false},
		{signertest.WrongImprint, false},
		{signertest.WrongSigner, false},
		{signertest.Forged, false},
		{signertest.Stale, false},
		{signertest.Future, false},
	}
	for _, tt := range tests {
		t.Run(string(tt.fault), func(t *testing.T) {
			w := newWorld(t)
			w.validator.Source = w.source(true)
			w.pki.SetFault(signertest.OCSPService, tt.fault)
			cert := w.official(t)
			data, err := w.collector().Collect(t.Context(), cert, w.others())
			if err != nil || len(data.CRLs) != 2 || len(data.OCSPs) != 0 {
				t.Errorf("with CRLs: %v, %d CRLs, %d OCSP responses", err, len(data.CRLs), len(data.OCSPs))
			}
			w.validator.Source = w.source(true)
			w.pki.SetFault(signertest.CRLService, signertest.Forged)
			_, err = w.collector().Collect(t.Context(), cert, w.others())
			if !errors.Is(err, ErrRevocationUnknown) || errors.Is(err, signer.ErrUnavailable) != tt.later {
				t.Errorf("with forged CRLs: %v", err)
			}
		})
	}
}

func TestCRLFaults(t *testing.T) {
	for _, fault := range []signertest.Fault{signertest.Garbage, signertest.WrongSigner, signertest.Forged, signertest.Stale, signertest.Future, signertest.Endless} {
		w := newWorld(t)
		w.pki.SetFault(signertest.OCSPService, signertest.Unavailable)
		w.pki.SetFault(signertest.CRLService, fault)
		if _, err := w.collector().Collect(t.Context(), w.official(t), w.others()); !errors.Is(err, ErrRevocationUnknown) {
			t.Errorf("%s: %v", fault, err)
		}
	}
}

func TestNonceMayBeLeftOut(t *testing.T) {
	w := newWorld(t)
	w.validator.Source = w.source(true)
	w.pki.SetFault(signertest.OCSPService, signertest.NoNonce)
	if err := w.ask(t, w.official(t)).Err(); err != nil {
		t.Error(err)
	}
}

// TestRevocation: revoked before and after the time in question, by both kinds of evidence,
// of the leaf, of the issuing authority.
func TestRevocation(t *testing.T) {
	for _, source := range []string{"OCSP", "CRL"} {
		t.Run(source, func(t *testing.T) {
			w := newWorld(t)
			if source == "CRL" {
				w.pki.SetFault(signertest.OCSPService, signertest.Unavailable)
			}
			cert, signed := w.official(t), w.clock()
			w.pass(2 * time.Hour)
			if err := w.pki.Revoke(cert, signed.Add(time.Hour), 1); err != nil {
				t.Fatal(err)
			}
			if r := w.ask(t, cert); !errors.Is(r.Err(), ErrRevoked) || r.Standings[0].Revocation.Source != source {
				t.Errorf("now: %v", r.Err())
			}
			q := Question{Certificate: cert, Untrusted: w.others(), At: signed, Now: w.clock()}
			if err := w.validator.Validate(t.Context(), q).Err(); err != nil {
				t.Errorf("before its revocation: %v", err)
			}
			other := w.official(t)
			if err := w.pki.Revoke(w.pki.Issuing.Certificate, w.clock().Add(-time.Minute), 2); err != nil {
				t.Fatal(err)
			}
			w.validator.Source = w.source(false)
			if r := w.ask(t, other); !errors.Is(r.Err(), ErrRevoked) || r.Standings[0].Err != nil {
				t.Errorf("issuing authority revoked: %v", r.Err())
			}
		})
	}
}

func TestUnknownToResponder(t *testing.T) {
	w := newWorld(t)
	f := signertest.Official("Trần Bình", "", "", "")
	f.WithoutCRL = true
	cert := w.issue(t, f)
	if err := w.pki.Forget(cert); err != nil {
		t.Fatal(err)
	}
	if err := w.ask(t, cert).Err(); !errors.Is(err, ErrRevocationUnknown) {
		t.Error(err)
	}
	f.WithoutOCSP = true
	if err := w.ask(t, w.issue(t, f)).Err(); !errors.Is(err, ErrRevocationUnknown) {
		t.Errorf("neither OCSP nor CRL: %v", err)
	}
}

// TestNothingIsFetchedForThePast: today's answer is no evidence of two years ago.
func TestNothingIsFetchedForThePast(t *testing.T) {
	w := newWorld(t)
	cert, signed := w.official(t), w.clock()
	w.pass(2 * 365 * 24 * time.Hour)
	r := w.validator.Validate(t.Context(), Question{Certificate: cert, Untrusted: w.others(), At: signed, Now: w.clock()})
	if !errors.Is(r.Err(), ErrRevocationUnknown) || len(w.calls) != 0 {
		t.Errorf("%v after calls %v", r.Err(), w.calls)
	}
}

// TestCache: within its life evidence is fetched once; a stale one is fetched again.
func TestCache(t *testing.T) {
	w := newWorld(t)
	cert := w.official(t)
	for range 5 {
		if err := w.ask(t, cert).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if w.calls["/ocsp"] != 1 || w.calls["/crl/root.crl"] != 1 {
		t.Errorf("calls for two certificates: %v", w.calls)
	}
	w.pass(maxCacheAge)
	if err := w.ask(t, cert).Err(); err != nil {
		t.Fatal(err)
	}
	if w.calls["/ocsp"] != 2 || w.calls["/crl/root.crl"] != 2 {
		t.Errorf("calls after an hour: %v", w.calls)
	}
}

// TestDownIsLeftAlone: an address that did not answer is asked again only after a while.
func TestDownIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.pki.SetFault(signertest.OCSPService, signertest.Slow)
	for range 5 {
		if err := w.ask(t, w.official(t)).Err(); err != nil {
			t.Fatal(err) // by CRL
		}
	}
	if w.calls["/ocsp"] != 1 {
		t.Errorf("%d calls to a service that hangs", w.calls["/ocsp"])
	}
	w.pki.SetFault(signertest.OCSPService, signertest.Honest)
	w.pass(downTime)
	if r := w.ask(t, w.official(t)); r.Err() != nil || r.Standings[0].Revocation.Source != "OCSP" {
		t.Errorf("after %v: %v", downTime, r.Err())
	}
}

// TestRevokedForEver: old evidence of a revocation outweighs young evidence of the contrary,
// unless it was a hold, and stays evidence after its nextUpdate.
func TestRevokedForEver(t *testing.T) {
	for reason, want := range map[int]Status{1: Revoked, certificateHold: Good} {
		w := newWorld(t)
		cert := w.official(t)
		if err := w.pki.Revoke(cert, w.clock().Add(-time.Hour), reason); err != nil {
			t.Fatal(err)
		}
		revoked, err := w.pki.OCSPAnswer(cert)
		if err != nil {
			t.Fatal(err)
		}
		w.pass(time.Hour)
		if err := w.pki.Revoke(cert, time.Time{}, 0); err != nil {
			t.Fatal(err)
		}
		good, err := w.pki.OCSPAnswer(cert)
		if err != nil {
			t.Fatal(err)
		}
		when := When{At: w.clock(), Now: w.clock()}
		for _, order := range [][][]byte{{revoked, good}, {good, revoked}} {
			r, err := NewEvidence(order, nil).Find(cert, w.pki.Issuing.Certificate, nil, when)
			if err != nil || r.Status != want {
				t.Errorf("reason %d: %v, %v", reason, r.Status, err)
			}
		}
		w.pass(30 * 24 * time.Hour)
		when = When{At: w.clock(), Now: w.clock()}
		r, err := NewEvidence([][]byte{revoked}, nil).Find(cert, w.pki.Issuing.Certificate, nil, when)
		if (want == Revoked) != (err == nil && r.Status == Revoked) {
			t.Errorf("reason %d a month later: %v, %v", reason, r.Status, err)
		}
	}
}

// TestResponderWithoutNoCheck is itself checked for revocation.
func TestResponderWithoutNoCheck(t *testing.T) {
	w := newWorld(t)
	f := signertest.OCSPResponder("Responder that is checked")
	f.Extensions = f.Extensions[:1]
	f.WithoutCRL = false
	responder, err := w.pki.Issue(f)
	if err != nil {
		t.Fatal(err)
	}
	w.pki.OCSP = responder
	r := w.ask(t, w.official(t))
	if r.Err() != nil || len(r.Used.CRLs) != 2 || len(r.Standings) != 3 {
		t.Errorf("%v, %d CRLs, %d standings", r.Err(), len(r.Used.CRLs), len(r.Standings))
	}
	if err := w.pki.Revoke(responder.Certificate, w.clock(), 1); err != nil {
		t.Fatal(err)
	}
	w.validator.Source = w.source(false)
	if err := w.ask(t, w.official(t)).Err(); !errors.Is(err, ErrRevoked) {
		t.Errorf("responder revoked: %v", err)
	}
}

func FuzzParseOCSP(f *testing.F) {
	w := newWorld(f)
	cert := w.official(f)
	for _, fault := range []signertest.Fault{signertest.Honest, signertest.Rejecting, signertest.NoNonce} {
		w.pki.SetFault(signertest.OCSPService, fault)
		der, err := w.pki.OCSPAnswer(cert)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	other := w.official(f)
	f.Fuzz(func(t *testing.T, der []byte) {
		e := NewEvidence([][]byte{der}, [][]byte{der})
		if _, err := e.Find(other, w.pki.Issuing.Certificate, nil, When{At: w.clock(), Now: w.clock()}); err == nil {
			t.Error("evidence about a certificate that was never asked about")
		}
	})
}
