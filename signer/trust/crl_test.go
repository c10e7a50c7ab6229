package trust

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"
)

// issuingPoint is IssuingDistributionPoint of RFC 5280 §5.2.5.
type issuingPoint struct {
	Point        pointName      `asn1:"optional,tag:0"`
	UserOnly     bool           `asn1:"optional,tag:1"`
	CAOnly       bool           `asn1:"optional,tag:2"`
	Reasons      asn1.BitString `asn1:"optional,tag:3"`
	Indirect     bool           `asn1:"optional,tag:4"`
	AttributeCRL bool           `asn1:"optional,tag:5"`
}

type pointName struct {
	Full []asn1.RawValue `asn1:"optional,tag:0"`
}

func at(address string) pointName {
	return pointName{Full: []asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(address)}}}
}

// TestPartialCRLs: a list that does not cover the certificate must not prove it good.
func TestPartialCRLs(t *testing.T) {
	w := newWorld(t)
	cert := w.official(t)
	tests := []struct {
		name  string
		point *issuingPoint
		delta bool
		good  bool
	}{
		{"whole", nil, false, true},
		{"users only", &issuingPoint{UserOnly: true}, false, true},
		{"authorities only", &issuingPoint{CAOnly: true}, false, false},
		{"some reasons", &issuingPoint{Reasons: asn1.BitString{Bytes: []byte{0x40}, BitLength: 2}}, false, false},
		{"indirect", &issuingPoint{Indirect: true}, false, true},
		{"attributes", &issuingPoint{AttributeCRL: true}, false, false},
		{"our point", &issuingPoint{Point: at("http://pki.test/crl/issuing.crl")}, false, true},
		{"other point", &issuingPoint{Point: at("http://pki.test/crl/shard2.crl")}, false, false},
		{"delta", nil, true, false},
	}
	for _, tt := range tests {
		list := &x509.RevocationList{Number: big.NewInt(2), ThisUpdate: w.clock().Add(-time.Hour), NextUpdate: w.clock().Add(time.Hour)}
		if tt.point != nil {
			der, err := asn1.Marshal(*tt.point)
			if err != nil {
				t.Fatal(err)
			}
			list.ExtraExtensions = append(list.ExtraExtensions, pkix.Extension{Id: oidIssuingDistPoint, Critical: true, Value: der})
		}
		if tt.delta {
			list.ExtraExtensions = append(list.ExtraExtensions, pkix.Extension{Id: oidDeltaCRL, Critical: true, Value: []byte{2, 1, 1}})
		}
		der, err := x509.CreateRevocationList(rand.Reader, list, w.pki.Issuing.Certificate, w.pki.Issuing.Private)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewEvidence(nil, [][]byte{der}).Find(cert, w.pki.Issuing.Certificate, nil, When{At: w.clock(), Now: w.clock()})
		if tt.good && (err != nil || r.Status != Good) || !tt.good && !errors.Is(err, ErrEvidence) {
			t.Errorf("%s: %v, %v", tt.name, r.Status, err)
		}
	}
}

func TestFresh(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	cert := &x509.Certificate{NotAfter: now.AddDate(1, 0, 0)}
	day := 24 * time.Hour
	tests := []struct {
		name       string
		this, next time.Duration // relative to now; next 0 is absent
		at         time.Duration
		maxAge     time.Duration
		want       error
	}{
		{"fresh", -day, day, 0, 0, nil},
		{"ended", -2 * day, -day, 0, 0, ErrStale},
		{"ended within skew", -2 * day, -time.Minute, 0, 0, nil},
		{"future", day, 2 * day, 0, 0, ErrEvidence},
		{"no end, a day old", -day, 0, 0, 0, nil},
		{"no end, old", -8 * day, 0, 0, 0, ErrStale},
		{"older than wanted", -3 * day, day, 0, 2 * day, ErrStale},
		{"younger than the signature", -day, day, -30 * day, 0, nil},
	}
	for _, tt := range tests {
		var next time.Time
		if tt.next != 0 {
			next = now.Add(tt.next)
		}
		err := When{At: now.Add(tt.at), Now: now, MaxAge: tt.maxAge}.fresh(now.Add(tt.this), next, cert)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	gone := &x509.Certificate{NotAfter: now.Add(-2 * day)}
	if err := (When{At: now.Add(-3 * day), Now: now}).fresh(now.Add(-day), now.Add(day), gone); !errors.Is(err, ErrStale) {
		t.Errorf("made after expiry: %v", err)
	}
}
