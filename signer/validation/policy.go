package validation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/saoy/saoy/signer/cms"
)

// Policy says for which time each algorithm counts: a signature must be proven to have existed
// while it was secure (ETSI TS 119 312 §9). What it does not list never counts.
type Policy struct {
	// Name says in reports whose policy this is.
	Name string `json:"name"`
	// Digests are hash functions, by the names of crypto.Hash: "SHA-256".
	Digests []PolicyEntry `json:"digests"`
	// Keys are "RSA", "ECDSA" and "Ed25519", from Bits up to the next entry's.
	Keys []PolicyEntry `json:"keys"`
}

// PolicyEntry is one algorithm with the time for which it counts.
type PolicyEntry struct {
	Algorithm string `json:"algorithm"`
	// Bits is the shortest key the entry speaks of; for keys only.
	Bits int `json:"bits,omitempty"`
	// From and Until are days in UTC; empty: without bound. Until is excluded.
	From  PolicyDay `json:"from,omitzero"`
	Until PolicyDay `json:"until,omitzero"`
}

// PolicyDay is a day in UTC, in JSON as "2031-01-01".
type PolicyDay time.Time

// MarshalText writes a day.
func (d PolicyDay) MarshalText() ([]byte, error) {
	return time.Time(d).AppendFormat(nil, time.DateOnly), nil
}

// UnmarshalText reads a day.
func (d *PolicyDay) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	*d = PolicyDay(t)
	return err
}

// IsZero reports whether there is no bound.
func (d PolicyDay) IsZero() bool { return time.Time(d).IsZero() }

// The years are not sooner than those of SOG-IS for what Viet Nam's authorities still issue.
//
//go:embed policy.json
var standardPolicy []byte

// StandardPolicy is the policy that is used where none is given.
func StandardPolicy() *Policy {
	p, err := ParsePolicy(standardPolicy)
	if err != nil { // a test parses it
		return &Policy{}
	}
	return p
}

// ParsePolicy reads a policy in JSON. Unknown keys and algorithms, a key without a length, and
// a time that never is are errors: a misspelt line must not change what passes.
func ParsePolicy(b []byte) (*Policy, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	p := &Policy{}
	if err := d.Decode(p); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	if strings.TrimSpace(p.Name) == "" || len(p.Digests) == 0 || len(p.Keys) == 0 {
		return nil, errors.New(`"name", "digests" and "keys" are needed`)
	}
	for _, e := range p.Digests {
		if err := e.check(knownDigest(e.Algorithm), e.Bits == 0); err != nil {
			return nil, err
		}
	}
	for _, e := range p.Keys {
		known := e.Algorithm == "RSA" || e.Algorithm == "ECDSA" || e.Algorithm == "Ed25519"
		if err := e.check(known, e.Bits > 0); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (e PolicyEntry) check(known, sized bool) error {
	switch {
	case !known:
		return fmt.Errorf("unknown algorithm %q", e.Algorithm)
	case !sized:
		return fmt.Errorf("%s: %d bits", e.Algorithm, e.Bits)
	case !e.From.IsZero() && !e.Until.IsZero() && !time.Time(e.From).Before(time.Time(e.Until)):
		return fmt.Errorf("%s: from %s until %s: never", e.Algorithm, time.Time(e.From).Format(time.DateOnly), time.Time(e.Until).Format(time.DateOnly))
	}
	return nil
}

func knownDigest(name string) bool {
	for h := crypto.MD4; h <= crypto.BLAKE2b_512; h++ {
		if h.String() == name {
			return true
		}
	}
	return false
}

func (e PolicyEntry) holds(at time.Time) bool {
	return (e.From.IsZero() || !at.Before(time.Time(e.From))) && (e.Until.IsZero() || at.Before(time.Time(e.Until)))
}

// digest reports whether a hash counts at a time.
func (p *Policy) digest(h crypto.Hash, at time.Time) bool {
	for _, e := range p.Digests {
		if e.Algorithm == h.String() && e.holds(at) {
			return true
		}
	}
	return false
}

// key names a public key and reports whether it counts at a time. The entry that decides is
// the one of the greatest length that the key reaches.
func (p *Policy) key(pub crypto.PublicKey, at time.Time) (name string, secure bool) {
	algorithm, bits := "", 0
	switch k := pub.(type) {
	case *rsa.PublicKey:
		algorithm, bits = "RSA", k.N.BitLen()
		name = fmt.Sprintf("RSA-%d", bits)
	case *ecdsa.PublicKey:
		algorithm, bits = "ECDSA", k.Curve.Params().BitSize
		name = fmt.Sprintf("ECDSA P-%d", bits)
	case ed25519.PublicKey:
		algorithm, bits, name = "Ed25519", 256, "Ed25519"
	default:
		return fmt.Sprintf("%T", pub), false
	}
	reached := 0
	for _, e := range p.Keys {
		if e.Algorithm != algorithm || e.Bits > bits || e.Bits < reached {
			continue
		}
		if e.Bits > reached {
			reached, secure = e.Bits, false
		}
		secure = secure || e.holds(at)
	}
	return name, secure
}

// weakest names the weakest part of a signature that was not secure at a time.
func (p *Policy) weakest(v *cms.Verification, at time.Time) (name string, bad bool) {
	hashes := []crypto.Hash{v.Digest, v.Algorithm.Hash}
	for _, w := range v.Weaknesses {
		if w == cms.WeakDigest || w == cms.WeakSignature {
			hashes = append(hashes, crypto.SHA1)
		}
	}
	for _, h := range hashes {
		if h != 0 && !p.digest(h, at) {
			return h.String(), true
		}
	}
	if v.Signer == nil {
		return "", false
	}
	name, secure := p.key(v.Signer.PublicKey, at)
	return name, !secure
}

// weakLink names the first key of a path, its anchor left out, that was not secure at a time.
func (p *Policy) weakLink(path []*x509.Certificate, at time.Time) (name string, bad bool) {
	for _, c := range path[:max(0, len(path)-1)] {
		if name, secure := p.key(c.PublicKey, at); !secure {
			return nameOfCert(c) + ": " + name, true
		}
	}
	return "", false
}
