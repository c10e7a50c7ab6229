package validation

import (
	"bytes"
	"context"
	"crypto"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
)

// online lets the validator ask the office's authority, in this process.
func (o *office) online() *trust.Source {
	return trust.NewSource(trust.NewFetcher(trust.FetcherConfig{Transport: o.pki.Transport(nil)}), false)
}

func (o *office) at(t time.Time) Options {
	opts := o.options()
	opts.At = t
	return opts
}

var year = 365 * 24 * time.Hour

// TestExpiry: what outlives the signer's certificate, which ends after three years, and what
// does not.
func TestExpiry(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	m := pades.Means{TimeStamper: stamper{o.pki}}
	basic := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	stamped := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, m)
	stored := o.store(stamped)
	archived := o.docTimestamp(stored)
	archivedOnly := o.docTimestamp(o.store(basic))
	soon, late := o.now.Add(time.Hour), o.now.Add(4*year)
	for _, c := range []struct {
		name   string
		data   []byte
		at     time.Time
		online bool
		want   Indication
		sub    SubIndication
	}{
		{"B-B, nothing known of revocation", basic, soon, false, Indeterminate, TryLater},
		{"B-B, online", basic, soon, true, TotalPassed, ""},
		{"B-B, expired", basic, late, false, Indeterminate, OutOfBoundsNoPOE},
		{"B-B, before the certificate", basic, start.AddDate(0, -2, 0), false, TotalFailed, NotYetValid},
		{"B-T, nothing known of revocation", stamped, soon, false, Indeterminate, TryLater},
		{"B-T, online", stamped, soon, true, TotalPassed, ""},
		{"B-LT", stored, soon, false, TotalPassed, ""},
		{"B-LT, expired", stored, late, false, TotalPassed, ""},
		{"B-LTA", archived, soon, false, TotalPassed, ""},
		{"B-LTA, expired", archived, late, false, TotalPassed, ""},
		{"document time-stamp alone, expired", archivedOnly, late, false, TotalPassed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := o.at(c.at)
			if c.online {
				opts.Source = o.online()
			}
			r := validate(t, c.data, opts)
			if r.Indication != c.want || r.SubIndication != c.sub || r.Integrity != Intact {
				logReport(t, r)
				t.Errorf("%s/%s, want %s/%s", r.Indication, r.SubIndication, c.want, c.sub)
			}
		})
	}
}

// TestArchive: a copy outlives its authority if it is time-stamped again in time by another,
// and does not if the chain is broken.
func TestArchive(t *testing.T) {
	o := newOffice(t)
	data := o.docTimestamp(o.copy(newDocument(t)))
	later := newOffice(t)
	later.now = time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC) // the first authority ends in 2041
	o.now = later.now
	prolonged := later.docTimestamp(o.store(data))
	after := time.Date(2041, 3, 1, 0, 0, 0, 0, time.UTC)
	next, err := signertest.NewPKI(signertest.Config{Clock: func() time.Time { return later.now }, BaseURL: "http://next.invalid", Start: later.now.AddDate(-1, 0, 0)})
	must(t, err)
	later.pki = next
	renewed := later.docTimestamp(withEvidence(t, later, o.store(data)))

	anchors := trust.NewStoreOf(o.pki.Root.Certificate, next.Root.Certificate)
	for _, c := range []struct {
		name    string
		data    []byte
		anchors *trust.Store
		want    Indication
	}{
		{"renewed in time", renewed, anchors, TotalPassed},
		{"never renewed", data, anchors, Indeterminate},
		{"renewed by an authority as old as the first", prolonged, anchors, Indeterminate},
		{"renewed by an authority nobody trusts", renewed, trust.NewStoreOf(o.pki.Root.Certificate), Indeterminate},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := validate(t, c.data, Options{At: after, Anchors: c.anchors})
			if r.Indication != c.want || r.Integrity != Intact {
				logReport(t, r)
				t.Errorf("%s/%s, want %s", r.Indication, r.SubIndication, c.want)
			}
		})
	}
}

// withEvidence stores what the later authority says of its time-stamping certificate.
func withEvidence(t *testing.T, o *office, data []byte) []byte {
	t.Helper()
	inc, err := pades.AddValidationData(bytes.NewReader(data), int64(len(data)), o.evidence(o.pki.TSA.Certificate))
	must(t, err)
	return append(bytes.Clone(data), inc...)
}

// TestRevocation: a revocation counts from its date on, and only a time-stamp tells which
// side of it a signature is on.
func TestRevocation(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	m := pades.Means{TimeStamper: stamper{o.pki}}
	before := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, m)
	plain := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	stored := o.store(before)
	o.now = o.now.Add(24 * time.Hour)
	must(t, o.pki.Revoke(o.person.Certificate, o.now, 1))
	o.now = o.now.Add(24 * time.Hour)
	after := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, m)
	o.now = o.now.Add(time.Hour)
	for _, c := range []struct {
		name   string
		data   []byte
		online bool
		want   Indication
		sub    SubIndication
	}{
		{"time-stamped before, evidence in the file", stored, false, TotalPassed, ""},
		{"time-stamped before, online", before, true, TotalPassed, ""},
		{"time-stamped before, evidence of later in the file", o.store(before), false, TotalPassed, ""},
		{"never time-stamped", plain, true, Indeterminate, RevokedNoPOE},
		{"time-stamped after", after, true, TotalFailed, Revoked},
		{"time-stamped after, evidence in the file", o.store(after), false, TotalFailed, Revoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := o.at(o.now)
			if c.online {
				opts.Source = o.online()
			}
			r := validate(t, c.data, opts)
			if r.Indication != c.want || r.SubIndication != c.sub || r.Integrity != Intact {
				logReport(t, r)
				t.Errorf("%s/%s, want %s/%s", r.Indication, r.SubIndication, c.want, c.sub)
			}
		})
	}
}

// TestTimestampAuthorityRevoked: a time-stamp that nothing younger covers is worth nothing
// once its authority's key is revoked.
func TestTimestampAuthorityRevoked(t *testing.T) {
	o := newOffice(t)
	data := o.sign(newDocument(t).data, o.person, pades.Options{Field: "certifier"}, pades.Means{TimeStamper: stamper{o.pki}})
	covered := o.docTimestamp(o.store(data))
	o.now = o.now.Add(24 * time.Hour)
	must(t, o.pki.Revoke(o.pki.TSA.Certificate, o.now, 1))
	o.now = o.now.Add(time.Hour)
	opts := o.at(o.now)
	opts.Source = o.online()
	for name, file := range map[string][]byte{"signature time-stamp": data, "document time-stamp": covered} {
		r := validate(t, file, opts)
		if r.Signatures[0].TimeSource == TimeFromTimestamp {
			logReport(t, r)
			t.Errorf("%s: the time counts as proven", name)
		}
	}
}

// TestWeakKeys: a key too short, or a hash broken, does not pass whoever issued it.
func TestWeakKeys(t *testing.T) {
	o := newOffice(t)
	for _, k := range []signertest.KeyType{signertest.RSA2048, signertest.RSA3072, signertest.P384, signertest.P521} {
		p := signertest.Official("Trần Thị Bình", "", "", "")
		p.KeyType = k
		id := o.issue(p)
		for _, pss := range []bool{false, true} {
			data := o.sign(newDocument(t).data, id, pades.Options{Field: "certifier"}, pades.Means{PSS: pss})
			opts := o.at(o.now)
			opts.Source = o.online()
			if r := validate(t, data, opts); !r.Passed() {
				logReport(t, r)
				t.Errorf("%s pss %t does not pass", k, pss)
			}
		}
	}
	at := day("2031-01-01").Add(time.Hour)
	p := signertest.Official("Lê Văn Cường", "", "", "")
	p.KeyType, p.NotAfter = signertest.RSA2048, at.Add(year)
	data := o.sign(newDocument(t).data, o.issue(p), pades.Options{Field: "certifier"}, pades.Means{})
	o.now = at
	opts := o.at(at)
	opts.Source = o.online()
	if r := validate(t, data, opts); r.Passed() || r.SubIndication != CryptoConstraintsFailureNoPOE {
		logReport(t, r)
		t.Error("RSA-2048 counts after its time")
	}
}

// foreign stamps something else than it is asked to.
type foreign struct{ *signertest.PKI }

func (f foreign) TimeStamp(ctx context.Context, digest []byte, h crypto.Hash) ([]byte, error) {
	other := bytes.Clone(digest)
	other[0] ^= 1
	return f.PKI.TimeStamp(ctx, other, h)
}

// TestForeignTimestamp: a time-stamp over something else proves nothing.
func TestForeignTimestamp(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	var out bytes.Buffer
	opts := pades.Options{Field: "certifier", SigningTime: o.now}
	if _, err := pades.Sign(t.Context(), bytes.NewReader(d.data), int64(len(d.data)), &out, o.person, opts, pades.Means{TimeStamper: foreign{o.pki}}); err != nil {
		t.Skipf("the signer refuses it already: %v", err)
	}
	r := o.validate(o.store(out.Bytes()))
	if r.Passed() || r.Signatures[0].TimeSource == TimeFromTimestamp {
		logReport(t, r)
		t.Error("a time-stamp over something else counts")
	}
}

// TestImpostor: a self-signed signer with genuine certificates beside it is not trusted.
func TestImpostor(t *testing.T) {
	o := newOffice(t)
	other := newOffice(t)
	id := other.person
	id.Chain = append(id.Chain, o.person.Certificate, o.pki.Issuing.Certificate, o.pki.Root.Certificate)
	data := o.store(o.sign(newDocument(t).data, id, pades.Options{Field: "certifier"}, pades.Means{}))
	r := o.validate(data)
	if r.Issuer != Untrusted || r.Passed() {
		logReport(t, r)
		t.Errorf("issuer %s", r.Issuer)
	}
}

// TestAlteredBag: a certificate beside the signature that was altered keeps the file from
// passing, although no signature covers it.
func TestAlteredBag(t *testing.T) {
	o := newOffice(t)
	data := o.store(o.sign(newDocument(t).data, o.person, pades.Options{Field: "certifier"}, pades.Means{TimeStamper: stamper{o.pki}}))
	if r := o.validate(data); !r.Passed() {
		logReport(t, r)
		t.Fatal("does not pass")
	}
	issuing := []byte(hexOf(o.pki.Issuing.Certificate.Raw))
	from := bytes.Index(bytes.ToLower(data), issuing)
	if from < 0 {
		t.Fatal("the issuing certificate is not in the signature")
	}
	last := from + len(issuing) - 1 // in the signature value of the certificate
	data[last] = "0123456789abcdef"[(int(data[last])+1)%16]
	if r := o.validate(data); r.Passed() {
		logReport(t, r)
		t.Error("passes")
	}
}

// TestCancelled: a validation ends when its context does.
func TestCancelled(t *testing.T) {
	o := newOffice(t)
	data := o.copy(newDocument(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := File(ctx, bytes.NewReader(data), int64(len(data)), o.options()); err == nil {
		t.Errorf("a cancelled validation gave %s", r.Indication)
	}
}
