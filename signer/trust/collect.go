package trust

import (
	"context"
	"crypto/x509"
	"time"

	"github.com/saoy/saoy/signer"
)

// Collector gathers what a file needs to be validated for a long time (B-LT).
type Collector struct {
	Validator Validator
	// Clock tells now; required.
	Clock func() time.Time
}

// Collect returns the certificates from cert to its anchor, the revocation data for all of
// them but the anchor, and the same for the OCSP responders. Everything was verified before it
// is returned. others are certificates that may be among the issuers; more are fetched if the
// certificates say where. The certificate's purpose is taken from its extended key usage.
//
// It is an error if anything is missing or not good: the errors are those of Result.Err, and
// signer.ErrUnavailable is among them if trying later may help.
func (c *Collector) Collect(ctx context.Context, cert *x509.Certificate, others []*x509.Certificate) (signer.ValidationData, error) {
	now := c.Clock()
	r := c.Validator.Validate(ctx, Question{Certificate: cert, Untrusted: others, Purpose: PurposeOf(cert), At: now, Now: now})
	if err := r.Err(); err != nil {
		return signer.ValidationData{}, err
	}
	return r.Used, nil
}

// PurposeOf returns TimeStamping for a certificate whose only extended key usage that is.
func PurposeOf(cert *x509.Certificate) Purpose {
	if len(cert.ExtKeyUsage) == 1 && cert.ExtKeyUsage[0] == x509.ExtKeyUsageTimeStamping {
		return TimeStamping
	}
	return Signing
}
