package validation

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pdf"
)

// rsaSHA1 checks a signature of kind adbe.x509.rsa_sha1: no CMS, but an RSA signature over the
// SHA-1 digest of the byte range, and the certificate beside it in /Cert (ISO 32000-1
// §12.8.3.2). Its bytes can be checked; SHA-1 keeps it from passing.
func (s *signing) rsaSHA1(v view) error {
	cert, err := signerCert(v, s.value.Get("Cert"))
	if err != nil {
		s.out.check("signer-certificate", Failed, msgCMSBad.of(plain(err)))
		s.out.settle(Indeterminate, NoSigningCertificateFound)
		s.out.Integrity = worse(s.out.Integrity, IntegrityNotChecked, Intact, IntegrityNotChecked, Modified, Broken)
		return nil
	}
	var value []byte
	key, isRSA := cert.PublicKey.(*rsa.PublicKey)
	if _, err := asn1.Unmarshal(s.contents, &value); err != nil || !isRSA {
		s.fail("cms-format", FormatFailure, Broken, msgCMSBad.of(both{"không phải chữ ký RSA", "not an RSA signature"}))
		return nil
	}
	digest, err := s.digest.sum(crypto.SHA1)
	if err != nil {
		return err
	}
	s.verified = &cms.Verification{Signer: cert, Digest: crypto.SHA1, Algorithm: cms.Algorithm{Scheme: cms.RSAPKCS1, Hash: crypto.SHA1},
		Weaknesses: []cms.Weakness{cms.WeakDigest, cms.WeakSignature}}
	s.out.Signer, s.out.Algorithm = distinguishedName(cert.Subject), s.verified.Algorithm.String()
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA1, digest, value); err != nil {
		s.fail("signature-value", SigCryptoFailure, Broken, msgValueBad.of(plain(err)))
		return nil
	}
	s.out.check("signature-value", Passed, msgValueOK)
	s.out.check("signing-certificate", NotDone, msgESSNone)
	return nil
}

// signerCert reads /Cert: a string, or an array whose first string is the signer's.
func signerCert(v view, o pdf.Object) (*x509.Certificate, error) {
	o, err := v.get(o)
	if err != nil {
		return nil, err
	}
	if a, ok := o.(pdf.Array); ok && len(a) > 0 {
		if o, err = v.get(a[0]); err != nil {
			return nil, err
		}
	}
	str, _ := o.(pdf.String)
	return x509.ParseCertificate(str.Bytes)
}
