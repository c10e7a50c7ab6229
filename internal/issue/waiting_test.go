package issue_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/storage"
)

func expired(p *signertest.Profile) {
	p.NotBefore, p.NotAfter = time.Now().AddDate(0, -6, 0), time.Now().AddDate(0, 0, -1)
}
func wrongUsage(p *signertest.Profile) { p.KeyUsage = x509.KeyUsageKeyEncipherment }

// before is the state in which a role signs next.
var before = map[certcopy.SignatureRole]certcopy.State{certcopy.ByCertifier: certcopy.Stamped, certcopy.ByAgency: certcopy.Signed}
var after = map[certcopy.SignatureRole]certcopy.State{certcopy.ByCertifier: certcopy.Signed, certcopy.ByAgency: certcopy.Sealed}

// A key that may not sign is waited for, and used when it was replaced.
func TestKeyRefusedAfterTheNumber(t *testing.T) {
	w := newWorld(t, true)
	n := 0
	for role, state := range before {
		for name, spoil := range map[string]func(*signertest.Profile){"expired": expired, "of the wrong kind": wrongUsage} {
			n++
			t.Run(string(role)+" "+name, func(t *testing.T) {
				f := w.honest(t)
				w.bring(t, f, state)
				w.replace(role, w.newKey(t, role, spoil))
				w.waits(t, f, signer.ErrKeyRefused, "replace the certificate")
				w.waits(t, f, signer.ErrKeyRefused, "replace the certificate")
				w.replace(role, w.newKey(t, role, nil))
				w.goes(t, f, after[role])
				if g := must(w.store.Generation(t.Context(), w.copy(t).ID, role))(t); g != 1 {
					t.Errorf("generation %d: nothing was prepared under the refused certificate", g)
				}
				w.finish(t, n)
			})
		}
	}
}

// Under a certificate that is no good no number is taken.
func TestKeyRefusedBeforeTheNumber(t *testing.T) {
	for role := range before {
		t.Run(string(role), func(t *testing.T) {
			w := newWorld(t, true)
			f := w.honest(t)
			v := w.visit()
			v.to = certcopy.Submitted
			if err := v.goOn(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			if err := v.next(t.Context(), f, w.copy(t)); err != nil {
				t.Fatal(err)
			}
			for _, spoil := range []func(*signertest.Profile){expired, wrongUsage} {
				w.replace(role, w.newKey(t, role, spoil))
				w.waits(t, f, signer.ErrKeyRefused, "replace the certificate")
			}
			revoked := w.newKey(t, role, nil)
			if err := w.pki.Revoke(revoked.Certificate, w.now().Add(-time.Minute), 1); err != nil {
				t.Fatal(err)
			}
			w.replace(role, revoked)
			w.waits(t, f, signer.ErrKeyRefused, "replace the certificate")
			w.replace(role, w.newKey(t, role, nil))
			w.pki.SetFault(signertest.OCSPService, signertest.Unavailable)
			w.pki.SetFault(signertest.CRLService, signertest.Unavailable)
			w.waits(t, f, signer.ErrUnavailable, "does not answer")
			w.pki.SetFault(signertest.OCSPService, signertest.Honest)
			w.goes(t, w.honest(t), certcopy.Numbered)
			w.finish(t, 1)
		})
	}
}

// A certificate that is replaced after the bytes were prepared spends their generation; one
// that is replaced after it has signed does not: the signature is used.
func TestCertificateReplaced(t *testing.T) {
	for role, state := range before {
		t.Run(string(role)+" after prepared", func(t *testing.T) {
			w := newWorld(t, true)
			w.bring(t, w.honest(t), state)
			w.waits(t, w.flow(t, &line{fault: refused, op: "sign." + string(role)}), signer.ErrUnavailable, "does not answer")
			w.replace(role, w.newKey(t, role, nil))
			f := w.honest(t)
			w.waits(t, f, nil, "signs anew")
			w.goes(t, f, after[role])
			if g := must(w.store.Generation(t.Context(), w.copy(t).ID, role))(t); g != 2 {
				t.Errorf("generation %d", g)
			}
			w.finish(t, 1)
		})
		t.Run(string(role)+" after it signed", func(t *testing.T) {
			w := newWorld(t, true)
			w.bring(t, w.honest(t), state)
			w.waits(t, w.flow(t, &line{fault: lost, op: "http/tsa"}), signer.ErrUnavailable, "does not answer")
			w.replace(role, w.newKey(t, role, nil))
			w.goes(t, w.honest(t), after[role])
			if g := must(w.store.Generation(t.Context(), w.copy(t).ID, role))(t); g != 1 {
				t.Errorf("generation %d", g)
			}
			w.finish(t, 1)
		})
	}
}

// A time-stamp that does not fit its place leads to a generation with a larger one.
func TestTokenTooLarge(t *testing.T) {
	w := newWorld(t, true)
	w.bring(t, w.honest(t), certcopy.Stamped)
	p := signertest.TimeStamping("a talkative authority")
	p.Extensions = append(p.Extensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: make([]byte, 40<<10)})
	w.pki.TSA = must(w.pki.Issue(p))(t)
	f := w.honest(t)
	w.waits(t, f, pades.ErrTooLarge, "signs anew") // 16 KiB
	w.waits(t, f, pades.ErrTooLarge, "signs anew") // 32 KiB
	w.goes(t, f, certcopy.Signed)                  // 64 KiB
	if g := must(w.store.Generation(t.Context(), w.copy(t).ID, certcopy.ByCertifier))(t); g != 3 {
		t.Errorf("generation %d", g)
	}
	w.pki.TSA = must(w.pki.Issue(signertest.TimeStamping("a terse authority")))(t)
	w.finish(t, 1)
}

// Whatever the time-stamp authority does, its lies are not used and the signature value is
// made once.
func TestTimeStampFaults(t *testing.T) {
	const down, lies = "does not answer", "its answer is wrong"
	w := newWorld(t, true)
	w.bring(t, w.honest(t), certcopy.Stamped)
	for fault, phrase := range map[signertest.Fault]string{
		signertest.Unavailable: down, signertest.Throttled: down, signertest.Garbage: down, signertest.Endless: down,
		signertest.Rejecting: down, signertest.WrongNonce: lies, signertest.NoNonce: lies, signertest.WrongImprint: lies,
		signertest.WrongSigner: lies, signertest.Forged: lies, signertest.Future: lies,
	} {
		w.pki.SetFault(signertest.TSAService, fault)
		w.waits(t, w.honest(t), nil, phrase)
		if t.Failed() {
			t.Fatalf("with %s", fault)
		}
	}
	w.waits(t, w.flow(t, &line{fault: refused, op: "http/tsa"}), signer.ErrUnavailable, down)
	w.pki.SetFault(signertest.TSAService, signertest.Honest)
	w.finish(t, 1)
}

// The time of a step is over before the authority answers: that is told all the same. The
// end of the process is no trouble of the copy.
func TestSlowAnswerIsTold(t *testing.T) {
	w := newWorld(t, true)
	w.bring(t, w.honest(t), certcopy.Stamped)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.honest(t).Advance(cancelled, w.copy(t).ID); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if trouble := w.copy(t).Trouble; trouble != (certcopy.Message{}) {
		t.Errorf("told as %q", trouble.EN)
	}
	for _, op := range []string{"sign.certifier", "http/tsa", "scratch.Create"} {
		l := &line{fault: slow, op: op}
		f := w.flow(t, l)
		err, _ := l.step(t.Context(), func(ctx context.Context) error { return f.Advance(ctx, w.copy(t).ID) })
		if c := w.copy(t); !errors.Is(err, context.DeadlineExceeded) || c.Trouble.EN == "" || c.State != certcopy.Stamped {
			t.Errorf("%s: %v, told as %q", op, err, c.Trouble.EN)
		}
	}
	w.finish(t, 1)
}

// Without good revocation data nothing is registered.
func TestRevocationFaults(t *testing.T) {
	const down, bad = "does not answer", "not proven"
	w := newWorld(t, true)
	w.bring(t, w.honest(t), certcopy.Sealed)
	for fault, phrase := range map[signertest.Fault]string{
		signertest.Unavailable: down, signertest.Garbage: down, signertest.Stale: bad, signertest.Future: bad,
		signertest.Forged: bad, signertest.WrongSigner: bad,
	} {
		w.pki.SetFault(signertest.OCSPService, fault)
		w.pki.SetFault(signertest.CRLService, fault)
		w.waits(t, w.honest(t), nil, phrase)
		w.wantNothingRegistered(t)
		if t.Failed() {
			t.Fatalf("with %s", fault)
		}
	}
	w.pki.SetFault(signertest.CRLService, signertest.Honest) // one of the two is enough
	w.finish(t, 1)
}

func (w *world) wantNothingRegistered(t testing.TB) {
	t.Helper()
	if leaves, files := must(w.store.LeavesOf(context.Background(), w.copy(t).ID))(t), count(t, w.files, ""); len(leaves) > 0 || files > 0 {
		t.Errorf("%d leaves, %d files in the vault", len(leaves), files)
	}
}

// A certificate that was revoked before it signed leaves only the void.
func TestRevokedBetweenNumberAndSignature(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	w.bring(t, f, certcopy.Stamped)
	if err := w.pki.Revoke(w.certifier.Certificate, w.now().Add(-time.Minute), 1); err != nil {
		t.Fatal(err)
	}
	f = w.honest(t)
	w.goes(t, f, certcopy.Signed)
	w.goes(t, f, certcopy.Sealed)
	w.waits(t, f, nil, "voids the number")
	w.wantNothingRegistered(t)
	if err := f.Void(t.Context(), w.copy(t).ID, w.Certifier, "key-revoked", "chứng thư bị thu hồi"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.fsck(t, 1)
}

// lowLevel is an examiner that finds less than there is.
type lowLevel struct{ level string }

func (l lowLevel) Examine(context.Context, []byte, time.Time) (string, error) { return l.level, nil }

// A file below the required level is not registered, and what made it poor is not kept.
func TestBelowTheRequiredLevel(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	w.bring(t, f, certcopy.Sealed)
	good := f.Examine
	for _, level := range []string{"", "B-B", "B-T"} {
		f.Examine = lowLevel{level}
		w.waits(t, f, nil, "required signature level")
		w.wantNothingRegistered(t)
	}
	f.Examine = good
	f.Revocation = pades.CollectorFunc(func(_ context.Context, c *x509.Certificate, _ []*x509.Certificate) (pades.ValidationData, error) {
		return pades.ValidationData{Certs: [][]byte{c.Raw}}, nil // no issuer, no revocation data
	})
	w.waits(t, f, nil, "required signature level")
	w.wantNothingRegistered(t)
	_, err := w.store.Artifact(t.Context(), storage.ArtifactKey{Copy: w.copy(t).ID, Role: certcopy.ByAgency, Generation: 1, Kind: storage.DSS})
	if !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("poor validation data was kept: %v", err)
	}
	w.finish(t, 1)
}

// certified brings a visit to where a number is due.
func (w *world) certified(t testing.TB) {
	t.Helper()
	f := w.honest(t)
	w.bring(t, f, certcopy.Submitted)
	if err := (&visit{w: w}).next(context.Background(), f, w.copy(t)); err != nil {
		t.Fatal(err)
	}
}

func TestSuspendedAgencyTakesNoNumber(t *testing.T) {
	w := newWorld(t, true)
	w.certified(t)
	w.sql(t, `UPDATE agency SET suspended = true`)
	w.waits(t, w.honest(t), storage.ErrUnavailable, "suspended")
	w.sql(t, `UPDATE agency SET suspended = false`)
	w.finish(t, 1)
}

func TestClockOfTheDatabaseGoesBack(t *testing.T) {
	w := newWorld(t, true)
	w.bring(t, w.honest(t), certcopy.Released)
	w.certified(t)
	clock := func(expression string) {
		w.sql(t, `CREATE OR REPLACE FUNCTION book_clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT `+expression+` $$`)
	}
	clock(`clock_timestamp() - interval '2 days'`)
	w.waits(t, w.honest(t), storage.ErrUnavailable, "clock")
	clock(`clock_timestamp()`)
	w.finish(t, 2)
}

// brokenSeal is a look that cannot be drawn.
type brokenSeal struct{ pictures }

func (brokenSeal) Seal(context.Context, certcopy.AgencyID) ([]byte, error) {
	return []byte("no PNG"), nil
}

// What would fail for ever goes back to the certifier before a number is taken, and says why,
// whatever the copy waited for before.
func TestRehearsalThatFailsForEver(t *testing.T) {
	w := newWorld(t, true)
	w.certified(t)
	w.waits(t, w.flow(t, &line{fault: refused, op: "scratch.Delete"}), storage.ErrUnavailable, "store does not answer")
	f := w.honest(t)
	f.Looks = brokenSeal{}
	if err := f.Advance(t.Context(), w.copy(t).ID); err != nil {
		t.Fatal(err)
	}
	c := w.copy(t)
	if c.State != certcopy.Submitted || !c.CertifiedAt.IsZero() || !c.Number.IsZero() {
		t.Fatalf("%s, certified %v, number %d", c.State, c.CertifiedAt, c.Number.Seq)
	}
	if c.Trouble.VI == "" || c.Trouble == certcopy.MessageOf(errors.New("x")) {
		t.Errorf("told as %q", c.Trouble.EN)
	}
	w.finish(t, 1)
}

// stubborn is a ledger that always loses a race nobody else ran.
type stubborn struct{ storage.Ledger }

func (stubborn) TakeNumber(context.Context, certcopy.CopyID) (certcopy.Number, error) {
	return certcopy.Number{}, storage.ErrConflict
}

// A conflict that left the copy where it was is no twin's success: the job must go on.
func TestConflictWithoutATwinIsAnError(t *testing.T) {
	w := newWorld(t, true)
	w.certified(t)
	f := w.honest(t)
	f.Ledger = stubborn{f.Ledger}
	if err := f.Advance(t.Context(), w.copy(t).ID); !errors.Is(err, storage.ErrConflict) {
		t.Fatalf("%v: the copy's last job would be dropped", err)
	}
	w.finish(t, 1)
}
