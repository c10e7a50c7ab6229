package validation

import (
	"bytes"
	"crypto/x509"

	"github.com/saoy/saoy/signer/cms"
)

// levels states the baseline level each signature has reached (ETSI EN 319 142-1 §6): what
// is there, not whether it is trusted.
func levels(all []*signing, e *evidence) {
	for _, s := range all {
		s.out.Level = levelOf(s, all, e)
	}
}

func levelOf(s *signing, all []*signing, e *evidence) Level {
	if s.out.Kind == KindDocTimestamp || s.verified == nil || s.verified.Signer == nil || !baseline(s) {
		return LevelNone
	}
	stamped := s.stamped
	for _, t := range all {
		stamped = stamped || t.covers(s)
	}
	if !stamped {
		return LevelB
	}
	written := e.writtenAfter(s)
	if written < 0 || !e.concerns(s.verified.Signer) || !e.hasIssuer(s.verified.Signer) {
		return LevelT
	}
	for _, t := range all {
		if t.covers(s) && t.rev >= written {
			return LevelLTA
		}
	}
	return LevelLT
}

// writtenAfter is the first revision after a signature's that wrote into the store; -1: none.
// What was there before the signature cannot have been gathered for it, even if it is about the
// same certificate: EU DSS says so too.
func (e *evidence) writtenAfter(s *signing) int {
	for _, revision := range e.written {
		if revision > s.rev {
			return revision
		}
	}
	return -1
}

// baseline reports whether a signature keeps the rules of PAdES-B-B for its own parts.
func baseline(s *signing) bool {
	return s.out.SubFilter == "ETSI.CAdES.detached" && s.verified.ESSVersion > 0 &&
		!s.cms.Signers[0].HasSignedAttribute(cms.OIDSigningTime) && s.out.ByteRangeOK
}

// covers reports whether a document time-stamp with a sound imprint covers a signature.
func (t *signing) covers(s *signing) bool {
	return t.out.Kind == KindDocTimestamp && t.sound() && s.rev >= 0 && t.rev > s.rev
}

// sound reports whether nothing about the signature itself failed: structure, digest, value.
func (s *signing) sound() bool {
	return s.rev >= 0 && s.verified != nil && !s.unsound && s.verified.Signer != nil
}

// hasIssuer reports whether the issuer's certificate is in the file, or none is needed.
func (e *evidence) hasIssuer(cert *x509.Certificate) bool {
	for _, c := range e.certs {
		if bytes.Equal(c.RawSubject, cert.RawIssuer) {
			return true
		}
	}
	return false
}

func containsBytes(b, part []byte) bool { return bytes.Contains(b, part) }
