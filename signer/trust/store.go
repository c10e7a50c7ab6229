package trust

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Anchor is a certificate that is trusted for itself.
type Anchor struct {
	// Name says to people what this is, for example "Vietnam National Root CA G3".
	Name string
	// NameEN is the name in English; empty: Name is used.
	NameEN      string
	Certificate *x509.Certificate
	// From and Until bound the time for which it is trusted, the latter excluded; zero: the
	// certificate's own.
	From, Until time.Time
	// Purposes are what it is trusted for; none: everything.
	Purposes []Purpose
	// Demonstration: what leads here proves nothing outside a demonstration.
	Demonstration bool
}

// English returns the name for people who read English.
func (a Anchor) English() string {
	if a.NameEN == "" {
		return a.Name
	}
	return a.NameEN
}

// bounds is when the anchor is good, for which its own validity counts where nothing else was
// configured.
func (a Anchor) bounds() (from, until time.Time) {
	from, until = a.From, a.Until
	if from.IsZero() {
		from = a.Certificate.NotBefore
	}
	if until.IsZero() {
		until = a.Certificate.NotAfter
	}
	return from, until
}

func (a Anchor) trustedAt(at time.Time) bool {
	return (a.From.IsZero() || !at.Before(a.From)) && (a.Until.IsZero() || at.Before(a.Until))
}

func (a Anchor) trustedFor(p Purpose) bool {
	return len(a.Purposes) == 0 || slices.Contains(a.Purposes, p)
}

// Store is a fixed set of anchors.
type Store struct{ anchors []Anchor }

// NewStore makes a store. An anchor given twice counts once.
func NewStore(anchors ...Anchor) *Store {
	s := &Store{}
	for _, a := range anchors {
		if a.Certificate != nil && s.find(a.Certificate) == nil {
			if a.Name == "" {
				a.Name = a.Certificate.Subject.String()
			}
			s.anchors = append(s.anchors, a)
		}
	}
	return s
}

// NewStoreOf makes a store of certificates, named by their subjects.
func NewStoreOf(certs ...*x509.Certificate) *Store {
	anchors := make([]Anchor, 0, len(certs))
	for _, c := range certs {
		anchors = append(anchors, Anchor{Certificate: c})
	}
	return NewStore(anchors...)
}

// ParsePEM reads the certificates of a PEM file. Text between the blocks is passed over; a
// block that is no certificate, or no block at all, is an error.
func ParsePEM(data []byte) ([]*x509.Certificate, error) {
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("PEM block of type %q is no certificate", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	if len(certs) == 0 {
		return nil, errors.New("no PEM certificate found")
	}
	return certs, nil
}

// Anchors returns the anchors.
func (s *Store) Anchors() []Anchor { return append([]Anchor(nil), s.anchors...) }

func (s *Store) find(cert *x509.Certificate) *Anchor {
	for i := range s.anchors {
		if s.anchors[i].Certificate.Equal(cert) {
			return &s.anchors[i]
		}
	}
	return nil
}
