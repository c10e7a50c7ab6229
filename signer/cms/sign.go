package cms

import (
	"context"
	"crypto"
	"fmt"

	"github.com/saoy/saoy/signer"
)

// Options of Sign. The zero value signs with the algorithm that suits the key, without a
// time-stamp.
type Options struct {
	// PSS chooses RSASSA-PSS for RSA keys.
	PSS bool
	// TimeStamper, if any, time-stamps the signature value.
	TimeStamper signer.TimeStamper
	// WithoutTime, if any, is asked when the time-stamper gave an error: if it returns nil, the
	// signature is built without a time-stamp, else its error is Sign's.
	WithoutTime func(cause error) error
}

// Sign signs the digest of detached content, made with the Hash of the algorithm that
// AlgorithmFor gives for the key, and returns the DER of the SignedData. It uses the key
// once, and the network only through the time-stamper. That the signature fits the certificate
// is certain before anything is time-stamped or returned (see SignAttributes): else it is
// signer.ErrKeyRefused.
func Sign(ctx context.Context, id signer.Identity, digest []byte, opts Options) ([]byte, error) {
	alg, err := AlgorithmFor(id.Certificate.PublicKey, opts.PSS)
	if err != nil {
		return nil, err
	}
	attributes, err := SignedAttributes(digest, alg.Hash, id.Certificate)
	if err != nil {
		return nil, err
	}
	signature, err := SignAttributes(ctx, id, alg, attributes)
	if err != nil {
		return nil, err
	}
	in := Input{Attributes: attributes, Signature: signature, Algorithm: alg, Certificate: id.Certificate, Chain: id.Chain}
	if opts.TimeStamper != nil {
		if in.TimeStampToken, err = opts.timeStamp(ctx, signature); err != nil {
			return nil, err
		}
	}
	return Build(in)
}

// timeStamp returns a token over a signature value; nil if it is accepted that there is none.
func (o *Options) timeStamp(ctx context.Context, signature []byte) ([]byte, error) {
	token, err := o.TimeStamper.TimeStamp(ctx, sum(crypto.SHA256, signature), crypto.SHA256)
	if err == nil && len(token) == 0 {
		err = fmt.Errorf("%w: an empty time-stamp", signer.ErrUnavailable)
	}
	if err == nil {
		return token, nil
	}
	err = fmt.Errorf("time-stamp: %w", err)
	if o.WithoutTime == nil {
		return nil, err
	}
	return nil, o.WithoutTime(err)
}

// SignAttributes has the key sign signed attributes and returns the signature value. It is
// verified with the certificate's key, unless signer.Trustworthy says that it must fit.
func SignAttributes(ctx context.Context, id signer.Identity, alg Algorithm, attributes []byte) ([]byte, error) {
	digest := sum(alg.Hash, attributes)
	signature, err := id.Key.Sign(ctx, digest, alg.SignerOpts())
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	if signer.Trustworthy(id.Key) && signer.Matches(id.Key, id.Certificate) {
		return signature, nil
	}
	if err := alg.Verify(id.Certificate.PublicKey, digest, signature); err != nil {
		return nil, fmt.Errorf("%w: signature does not fit the certificate: %w", signer.ErrKeyRefused, err)
	}
	return signature, nil
}
