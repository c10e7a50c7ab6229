package demo

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/saoy/saoy/signer/signertest"
)

// ResultPath is where the authority of results answers below the public address.
const ResultPath = Path + "/ket-qua"

// documentSigning is id-kp-documentSigning (RFC 9336).
var documentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}

// OpenResultAuthority opens the authority, kept in dir, that certifies the key for results of
// verifications, making it on first use. It has a root of its own, results-ca.pem: no copy is
// trusted by it, and whoever trusts only the authority of copies trusts no result as one.
func OpenResultAuthority(dir, publicURL string, clock func() time.Time) (*signertest.PKI, error) {
	pki, err := signertest.Open(filepath.Join(dir, "results"), signertest.Config{
		Clock: clock, BaseURL: publicURL + ResultPath, Organization: "SAOY TRÌNH DIỄN - KẾT QUẢ KIỂM TRA",
	})
	if err != nil {
		return nil, fmt.Errorf("demonstration authority of results: %w", err)
	}
	pem, err := os.ReadFile(filepath.Join(dir, "results", "ca.pem"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "results-ca.pem"), pem, 0o644) //nolint:gosec // a certificate is public
	}
	if err != nil {
		return nil, fmt.Errorf("demonstration authority of results: %w", err)
	}
	return pki, nil
}

// ResultProfile is the certificate of the key for results: for documents, of no agency.
func ResultProfile() signertest.Profile {
	p := signertest.Agency("Saoy: kết quả kiểm tra chữ ký số (trình diễn)", "")
	p.Subject.Organization = []string{"SAOY TRÌNH DIỄN"}
	p.KeyType = signertest.RSA2048
	p.Extensions = append([]pkix.Extension(nil), signertest.ExtKeyUsage(false, documentSigning))
	return p
}
