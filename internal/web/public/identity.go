package public

import (
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/validation"
)

// withoutNames is Report.ForEveryone for a page that others open, not who holds the file: signers
// are called as the register calls them, and the certificates are left to the file.
func (s *Site) withoutNames(r *verify.Report) *verify.Report {
	out := r.ForEveryone()
	for i := range out.Signatures {
		x := &out.Signatures[i]
		x.Path, x.Signer = nil, ""
		switch {
		case out.Copy == nil || x.Kind != validation.KindSignature:
		case x.Field == s.Verifier.CertifierField:
			x.Signer = out.Copy.Official
		case x.Field == s.Verifier.AgencyField:
			x.Signer = out.Copy.Agency
		}
	}
	return out
}
