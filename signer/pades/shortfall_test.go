package pades

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pdf"
)

// failing fails from the nth call on.
type failing struct {
	signer.TimeStamper
	calls, from int
	cause       error
}

func (f *failing) TimeStamp(ctx context.Context, digest []byte, hash crypto.Hash) ([]byte, error) {
	if f.calls++; f.calls >= f.from {
		return nil, f.cause
	}
	return f.TimeStamper.TimeStamp(ctx, digest, hash)
}

// counted counts how often a key is used.
type counted struct {
	signer.Key
	uses int
}

func (c *counted) Sign(ctx context.Context, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	c.uses++
	return c.Key.Sign(ctx, digest, o)
}

var (
	errDown = errors.New("the service is down")
	noData  = CollectorFunc(func(context.Context, *x509.Certificate, []*x509.Certificate) (ValidationData, error) {
		return ValidationData{}, errDown
	})
	errRefused = errors.New("the policy refuses")
)

// TestShortfallOfSign: a level that was not reached is recorded or an error, and in either
// case the key was used once.
func TestShortfallOfSign(t *testing.T) {
	for _, c := range []struct {
		name          string
		wanted, reach Level
		stampsFrom    int // the call from which the authority is down
		collector     Collector
	}{
		{"B-T, authority down", BT, BB, 1, nil},
		{"B-LT, authority down", BLT, BB, 1, collector},
		{"B-LT, no revocation data", BLT, BT, 99, noData},
		{"B-LTA, authority down", BLTA, BB, 1, collector},
		{"B-LTA, no revocation data", BLTA, BT, 99, noData},
		{"B-LTA, authority down for the archive", BLTA, BLT, 2, collector},
		{"B-LTA, all well", BLTA, BLTA, 99, collector},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := document(t, "1.7", nil)
			id := official()
			key := &counted{Key: id.Key}
			id.Key = key
			run := func(policy func(*Shortfall) error) (*Result, []byte, error) {
				var out bytes.Buffer
				key.uses = 0
				m := Means{Level: c.wanted, TimeStamper: &failing{TimeStamper: pki(), from: c.stampsFrom, cause: errDown}, Collector: c.collector, OnShortfall: policy}
				res, err := Sign(t.Context(), bytes.NewReader(base), int64(len(base)), &out, id, options(), m)
				return res, out.Bytes(), err
			}
			res, data, err := run(AcceptLower)
			if err != nil || res.Level != c.reach || res.Size != int64(len(data)) || key.uses != 1 {
				t.Fatalf("%+v, %d bytes, key used %d times, error %v", res, len(data), key.uses, err)
			}
			if s := res.Shortfall; (s != nil) != (c.reach < c.wanted) || s != nil && (s.Wanted != c.wanted || s.Reached != c.reach || !errors.Is(s, errDown) || !errors.Is(s, ErrLevel)) {
				t.Errorf("shortfall %v", s)
			}
			if s := found(t, data); s[0].stamped != (c.reach >= BT) {
				t.Errorf("time-stamped: %v", s[0].stamped)
			}
			if _, _, err = run(nil); (err != nil) != (c.reach < c.wanted) || err != nil && (!errors.Is(err, errDown) || key.uses != 1) {
				t.Errorf("without a policy: %v, key used %d times", err, key.uses)
			}
			if _, _, err = run(func(*Shortfall) error { return errRefused }); c.reach < c.wanted && !errors.Is(err, errRefused) {
				t.Errorf("with a policy that refuses: %v", err)
			}
		})
	}
}

// TestShortfallOfExtend: what was added stays; a file to which nothing can be added is not
// copied as if it had been.
func TestShortfallOfExtend(t *testing.T) {
	plain := signed(t, document(t, "1.7", nil), official(), options(), Means{})
	stamped := signed(t, document(t, "1.7", nil), official(), options(), Means{TimeStamper: pki()})
	for _, c := range []struct {
		name       string
		base       []byte
		stampsFrom int
		collector  Collector
		reach      Level // 0: an error
	}{
		{"authority down", plain, 1, collector, 0},
		{"no revocation data after a time-stamp", plain, 99, noData, BT},
		{"no revocation data, nothing gained", stamped, 99, noData, 0},
		{"authority down for the archive", stamped, 1, collector, BLT},
		{"all well", stamped, 99, collector, BLTA},
	} {
		t.Run(c.name, func(t *testing.T) {
			reached := BLTA
			o := ExtendOptions{Level: BLTA, TimeStamper: &failing{TimeStamper: pki(), from: c.stampsFrom, cause: errDown}, Collector: c.collector,
				OnShortfall: func(s *Shortfall) error { reached = s.Reached; return nil }}
			var out bytes.Buffer
			err := Extend(t.Context(), bytes.NewReader(c.base), int64(len(c.base)), &out, o)
			if c.reach == 0 {
				if !errors.Is(err, errDown) || out.Len() != 0 {
					t.Fatalf("%d bytes, error %v", out.Len(), err)
				}
				return
			}
			if err != nil || reached != c.reach || !bytes.HasPrefix(out.Bytes(), c.base) || out.Len() == len(c.base) {
				t.Fatalf("reached %v, %d bytes, error %v", reached, out.Len(), err)
			}
			found(t, out.Bytes())
		})
	}
}

// TestCancelledIsNoShortfall: who gives up gets no file of a lower level.
func TestCancelledIsNoShortfall(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	giveUp := stamperFunc(func(context.Context) ([]byte, error) { cancel(); return nil, errDown })
	base := document(t, "1.7", nil)
	if _, err := Sign(ctx, bytes.NewReader(base), int64(len(base)), new(bytes.Buffer), official(), options(), Means{TimeStamper: giveUp, OnShortfall: AcceptLower}); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
}

// found are the signatures of a file, verified over their bytes.
func found(t *testing.T, data []byte) []existing {
	t.Helper()
	r, err := openStrict(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	all, err := readSignatures(r)
	if err != nil {
		t.Fatal(err)
	}
	return all
}
