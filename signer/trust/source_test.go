package trust

import (
	"errors"
	"testing"
	"time"

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
