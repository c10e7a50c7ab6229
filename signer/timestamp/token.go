package timestamp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/trust"
)

// Errors about tokens.
var (
	// ErrSyntax: the bytes are no time-stamp token or reply.
	ErrSyntax = errors.New("malformed time-stamp")
	// ErrInvalid: a token that does not prove what it should; it must not be used.
	ErrInvalid = errors.New("time-stamp is not valid")
	// ErrImprint: the token is over other data (wrapped together with ErrInvalid).
	ErrImprint = errors.New("time-stamp is over other data")
)

// Token is a parsed TimeStampToken (RFC 3161 §2.4.2). Nothing in it has been verified.
type Token struct {
	Raw    []byte
	Policy asn1.ObjectIdentifier
	// Hash of the imprint; 0 if unknown here. Imprint is the digest that was stamped.
	Hash    crypto.Hash
	Imprint []byte
	Serial  *big.Int
	// Time is genTime, in UTC.
	Time time.Time
	// Accuracy is how far Time may be off either way; zero with HasAccuracy false means the
	// authority states none.
	Accuracy    time.Duration
	HasAccuracy bool
	Ordering    bool
	Nonce       *big.Int // nil if absent
	// CMS is the signed data around it, for its certificates.
	CMS *cms.SignedData
}

// ParseToken reads a TimeStampToken in DER or BER. ErrSyntax if it is none.
func ParseToken(der []byte) (*Token, error) {
	sd, err := cms.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	if !sd.ContentType.Equal(cms.OIDTSTInfo) || sd.Content == nil {
		return nil, fmt.Errorf("%w: content type %v is not id-ct-TSTInfo", ErrSyntax, sd.ContentType)
	}
	if len(sd.Signers) != 1 {
		return nil, fmt.Errorf("%w: %d signers instead of one", ErrSyntax, len(sd.Signers))
	}
	t := &Token{Raw: bytes.Clone(der), CMS: sd}
	if err := t.parseInfo(sd.Content); err != nil {
		return nil, err
	}
	return t, nil
}

func syntax(what string) error { return fmt.Errorf("%w: %s", ErrSyntax, what) }

// parseInfo reads the TSTInfo.
func (t *Token) parseInfo(der []byte) error {
	outer := cryptobyte.String(der)
	var s, imprint, algorithm, digest, genTime cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	t.Serial = new(big.Int)
	if !outer.ReadASN1(&s, cbasn1.SEQUENCE) || !outer.Empty() || !s.ReadASN1Integer(&version) || version != 1 ||
		!s.ReadASN1ObjectIdentifier(&t.Policy) || !s.ReadASN1(&imprint, cbasn1.SEQUENCE) {
		return syntax("TSTInfo version or policy")
	}
	if !imprint.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!imprint.ReadASN1(&digest, cbasn1.OCTET_STRING) || !imprint.Empty() {
		return syntax("messageImprint")
	}
	t.Hash, t.Imprint = cms.HashOf(oid), digest
	if !s.ReadASN1Integer(t.Serial) || !s.ReadASN1(&genTime, cbasn1.GeneralizedTime) {
		return syntax("serialNumber or genTime")
	}
	var err error
	if t.Time, err = parseGenTime(string(genTime)); err != nil {
		return err
	}
	return t.parseOptional(s)
}

// parseOptional reads accuracy, ordering and nonce; tsa and extensions are passed over, the
// certificate says who signed. A critical extension is an error: it would change the meaning.
func (t *Token) parseOptional(s cryptobyte.String) error {
	if s.PeekASN1Tag(cbasn1.SEQUENCE) {
		var accuracy cryptobyte.String
		if !s.ReadASN1(&accuracy, cbasn1.SEQUENCE) || !t.parseAccuracy(accuracy) {
			return syntax("accuracy")
		}
	}
	if s.PeekASN1Tag(cbasn1.BOOLEAN) && !s.ReadASN1Boolean(&t.Ordering) {
		return syntax("ordering")
	}
	if s.PeekASN1Tag(cbasn1.INTEGER) {
		t.Nonce = new(big.Int)
		if !s.ReadASN1Integer(t.Nonce) {
			return syntax("nonce")
		}
	}
	var tsa, extensions cryptobyte.String
	var hasTSA, hasExtensions bool
	if !s.ReadOptionalASN1(&tsa, &hasTSA, contextTag(0)) || !s.ReadOptionalASN1(&extensions, &hasExtensions, contextTag(1)) || !s.Empty() {
		return syntax("TSTInfo")
	}
	return refuseCritical(extensions)
}

func contextTag(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

func refuseCritical(s cryptobyte.String) error {
	for !s.Empty() {
		var ext cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !s.ReadASN1(&ext, cbasn1.SEQUENCE) || !ext.ReadASN1ObjectIdentifier(&oid) {
			return syntax("extensions")
		}
		if ext.PeekASN1Tag(cbasn1.BOOLEAN) && !ext.ReadASN1Boolean(&critical) {
			return syntax("extensions")
		}
		if critical {
			return fmt.Errorf("%w: unknown critical extension %v", ErrSyntax, oid)
		}
	}
	return nil
}

// parseAccuracy reads seconds, millis [0] and micros [1], each optional.
func (t *Token) parseAccuracy(s cryptobyte.String) bool {
	t.HasAccuracy = true
	if s.PeekASN1Tag(cbasn1.INTEGER) {
		var seconds int64
		if !s.ReadASN1Integer(&seconds) || seconds < 0 || seconds > 1<<31 {
			return false
		}
		t.Accuracy = time.Duration(seconds) * time.Second
	}
	for i, unit := range []time.Duration{time.Millisecond, time.Microsecond} {
		tag := cbasn1.Tag(uint8(i)).ContextSpecific()
		if !s.PeekASN1Tag(tag) {
			continue
		}
		var n int64
		if !s.ReadASN1Int64WithTag(&n, tag) || n < 1 || n > 999 {
			return false
		}
		t.Accuracy += time.Duration(n) * unit
	}
	return s.Empty()
}

var genTimeForm = regexp.MustCompile(`^[0-9]{14}(\.[0-9]{1,9})?Z$`)

// parseGenTime reads YYYYMMDDhhmmss[.f…]Z, the only form RFC 3161 §2.4.2 allows. time.Parse
// takes a fraction whether or not the layout has one.
func parseGenTime(s string) (time.Time, error) {
	at, err := time.Parse("20060102150405Z", s)
	if err != nil || !genTimeForm.MatchString(s) {
		return time.Time{}, fmt.Errorf("%w: genTime %q", ErrSyntax, s)
	}
	return at.UTC(), nil
}

// Covers checks that the token is over content, whose digest it asks for by the imprint's
// hash. ErrImprint if it is over something else.
func (t *Token) Covers(content cms.Digester) error {
	if !t.Hash.Available() {
		return fmt.Errorf("%w: unknown hash in messageImprint", ErrInvalid)
	}
	digest, err := content(t.Hash)
	if err != nil {
		return err
	}
	if !bytes.Equal(digest, t.Imprint) {
		return fmt.Errorf("%w: %w", ErrInvalid, ErrImprint)
	}
	return nil
}

// VerifySignature verifies the authority's signature over the token, without judging the
// authority. extra are certificates to look in besides those in the token.
func (t *Token) VerifySignature(extra ...*x509.Certificate) *cms.Verification {
	return t.CMS.Verify(nil, extra...)[0]
}

// Verification says what Verify is to demand.
type Verification struct {
	// Content that the token must be over.
	Content cms.Digester
	// Roots are the trust anchors for the authority; without any, nothing is valid.
	Roots []*x509.Certificate
	// Certificates to look in besides those in the token.
	Certificates []*x509.Certificate
}

// Verify verifies the token wholly: imprint, signature, the authority's certificate by RFC
// 3161 §2.3, and its path to a root as of the time in the token. It returns the authority's
// certificate. Revocation is not its subject. ErrInvalid, with the reason.
func (t *Token) Verify(want Verification) (*x509.Certificate, error) {
	if err := t.Covers(want.Content); err != nil {
		return nil, err
	}
	v := t.VerifySignature(want.Certificates...)
	if err := v.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for _, w := range v.Weaknesses {
		// ESS v1 is SHA-1, but RFC 3161 §2.4.2 prescribes it and many authorities keep to that;
		// issuer and serial number name the certificate as well.
		if w != cms.WeakESS {
			return nil, fmt.Errorf("%w: %s", ErrInvalid, w)
		}
	}
	if err := CheckAuthority(v.Signer); err != nil {
		return nil, err
	}
	return v.Signer, t.checkPath(v.Signer, want)
}

func (t *Token) checkPath(cert *x509.Certificate, want Verification) error {
	others := slices.Concat(t.CMS.Certificates, want.Certificates)
	if _, err := trust.BuildPath(cert, others, trust.NewStoreOf(want.Roots...), t.Time, trust.TimeStamping); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// CheckAuthority checks that a certificate may sign time-stamps: the extended key usage is
// there, critical, and id-kp-timeStamping alone (RFC 3161 §2.3).
func CheckAuthority(cert *x509.Certificate) error {
	if len(cert.ExtKeyUsage) != 1 || cert.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(cert.UnknownExtKeyUsage) != 0 {
		return fmt.Errorf("%w: %s may not sign time-stamps, or not only these", ErrInvalid, cert.Subject)
	}
	for _, e := range cert.Extensions {
		if e.Id.Equal(oidExtKeyUsage) && !e.Critical {
			return fmt.Errorf("%w: extended key usage of %s is not critical", ErrInvalid, cert.Subject)
		}
	}
	return nil
}
