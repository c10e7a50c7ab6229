package validation

import (
	"crypto"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestParsePolicy(t *testing.T) {
	const keys = `"keys":[{"algorithm":"RSA","bits":2048}]`
	for name, tt := range map[string]struct{ policy, wrong string }{
		"standard":          {string(standardPolicy), ""},
		"small":             {`{"name":"x","digests":[{"algorithm":"SHA-1","until":"2010-01-01"}],` + keys + `}`, ""},
		"unknown key":       {`{"name":"x","digests":[{"algorithm":"SHA-256","untill":"2030-01-01"}],` + keys + `}`, "untill"},
		"unknown hash":      {`{"name":"x","digests":[{"algorithm":"SHA256"}],` + keys + `}`, "SHA256"},
		"unknown algorithm": {`{"name":"x","digests":[{"algorithm":"SHA-256"}],"keys":[{"algorithm":"DSA","bits":2048}]}`, "DSA"},
		"no length":         {`{"name":"x","digests":[{"algorithm":"SHA-256"}],"keys":[{"algorithm":"RSA"}]}`, "0 bits"},
		"length of a hash":  {`{"name":"x","digests":[{"algorithm":"SHA-256","bits":256}],` + keys + `}`, "256 bits"},
		"no name":           {`{"digests":[{"algorithm":"SHA-256"}],` + keys + `}`, "name"},
		"no keys":           {`{"name":"x","digests":[{"algorithm":"SHA-256"}]}`, "keys"},
		"never":             {`{"name":"x","digests":[{"algorithm":"SHA-256","from":"2030-01-01","until":"2020-01-01"}],` + keys + `}`, "never"},
		"no day":            {`{"name":"x","digests":[{"algorithm":"SHA-256","until":"2030"}],` + keys + `}`, "2030"},
		"two values":        {string(standardPolicy) + "{}", "more than one"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParsePolicy([]byte(tt.policy))
			if (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Fatalf("%v", err)
			}
			if err != nil {
				return
			}
			b, err := json.Marshal(p)
			must(t, err)
			if again, err := ParsePolicy(b); err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
				t.Errorf("written and read again: %v %v", again, err)
			}
		})
	}
}

// TestPolicyDates: each algorithm on the days around its bounds.
func TestPolicyDates(t *testing.T) {
	p, err := ParsePolicy([]byte(`{"name":"x","digests":[{"algorithm":"SHA-1","until":"2011-01-01"},{"algorithm":"SHA-256","from":"2001-01-01"}],
		"keys":[{"algorithm":"RSA","bits":1024,"until":"2009-01-01"},{"algorithm":"RSA","bits":2048,"until":"2031-01-01"},{"algorithm":"RSA","bits":4096}]}`))
	must(t, err)
	for _, tt := range []struct {
		hash crypto.Hash
		on   string
		good bool
	}{{crypto.SHA1, "2010-12-31", true}, {crypto.SHA1, "2011-01-01", false}, {crypto.SHA256, "2000-12-31", false}, {crypto.SHA256, "2001-01-01", true}, {crypto.SHA512, "2026-01-01", false}} {
		if got := p.digest(tt.hash, day(tt.on)); got != tt.good {
			t.Errorf("%v on %s: %v", tt.hash, tt.on, got)
		}
	}
	for _, tt := range []struct {
		key  signertest.KeyType
		on   string
		good bool
	}{{signertest.RSA2048, "2030-12-31", true}, {signertest.RSA2048, "2031-01-01", false}, {signertest.RSA3072, "2030-12-31", true}, {signertest.RSA3072, "2031-01-01", false},
		{signertest.RSA4096, "2060-01-01", true}, {signertest.P256, "2026-01-01", false}} {
		key, err := signertest.GenerateKey(tt.key)
		must(t, err)
		if name, got := p.key(key.Public(), day(tt.on)); got != tt.good {
			t.Errorf("%s on %s: %v", name, tt.on, got)
		}
	}
}

// TestPolicyDecides: the same file passes under one policy and not under another, which may
// speak of the signer's key, of the issuer's, or of the hash.
func TestPolicyDecides(t *testing.T) {
	o := newOffice(t)
	data := o.copy(newDocument(t))
	with := func(digests, keys string) *Policy {
		p, err := ParsePolicy([]byte(`{"name":"x","digests":[` + digests + `],"keys":[` + keys + `]}`))
		must(t, err)
		return p
	}
	const sha256, ecdsa = `{"algorithm":"SHA-256"}`, `{"algorithm":"ECDSA","bits":256}`
	for name, tt := range map[string]struct {
		policy *Policy
		passes bool
	}{
		"standard":             {nil, true},
		"as used":              {with(sha256, ecdsa), true},
		"longer keys":          {with(sha256, `{"algorithm":"ECDSA","bits":384}`), false},
		"other hashes":         {with(`{"algorithm":"SHA-512"}`, ecdsa), false},
		"until before signing": {with(sha256, `{"algorithm":"ECDSA","bits":256,"until":"2026-03-02"}`), false},
		"until after signing":  {with(sha256, `{"algorithm":"ECDSA","bits":256,"until":"2026-03-03"}`), true},
	} {
		t.Run(name, func(t *testing.T) {
			opts := o.options()
			opts.Policy = tt.policy
			r := validate(t, data, opts)
			if r.Passed() != tt.passes || r.Integrity != Intact {
				logReport(t, r)
				t.Errorf("%s/%s", r.Indication, r.SubIndication)
			}
		})
	}
}

// TestPolicyOfIssuer: a key of the path below the anchor must count too.
func TestPolicyOfIssuer(t *testing.T) {
	o := newOffice(t)
	pki, err := signertest.NewPKI(signertest.Config{Clock: func() time.Time { return o.now }, KeyType: signertest.RSA2048, Start: start.AddDate(0, -1, 0)})
	must(t, err)
	o.pki = pki
	o.person = o.issue(signertest.Profile{Subject: signertest.Official("An", "", "", "").Subject, KeyType: signertest.P256, KeyUsage: signertest.Official("An", "", "", "").KeyUsage})
	o.agency = o.person
	data := o.copy(newDocument(t))
	p, err := ParsePolicy([]byte(`{"name":"x","digests":[{"algorithm":"SHA-256"}],"keys":[{"algorithm":"ECDSA","bits":256},{"algorithm":"RSA","bits":2048,"until":"2026-01-01"}]}`))
	must(t, err)
	for policy, passes := range map[*Policy]bool{nil: true, p: false} {
		r := validate(t, data, Options{At: o.now, Anchors: trust.NewStoreOf(pki.Root.Certificate), Policy: policy})
		if r.Passed() != passes {
			logReport(t, r)
			t.Errorf("%s/%s", r.Indication, r.SubIndication)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(standardPolicy)
	f.Add([]byte(`{"name":"x","digests":[{"algorithm":"SHA-1","until":"2010-01-01"}],"keys":[{"algorithm":"RSA","bits":1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePolicy(b)
		if err == nil && (p.Name == "" || len(p.Digests) == 0 || len(p.Keys) == 0) {
			t.Fatalf("%+v", p)
		}
	})
}
