package public

import (
	"regexp"
	"slices"

	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/validation"
)

// identifiers match, in a distinguished name, the values that name a person beyond name and
// office: userId, serialNumber, e-mail, telephone, street, and whatever is written by its OID. A tax code
// (MST) or budget code (MNS) is an organisation's and stays.
var (
	identifiers = regexp.MustCompile(`(?i)(^|[,+])(UID|serialNumber|E|EMAIL|emailAddress|mail|telephoneNumber|street|\d+(?:\.\d+)+)=((?:\\.|[^,+\\])*)`)
	bodyCodes   = regexp.MustCompile(`(?i)^(MST|MNS)\\?:[0-9-]+$`)
	// loose is an identity number outside a name, for example in the sentence of a check.
	loose = regexp.MustCompile(`(?i)\b(CCCD|CMND|CMT|HC|PASSPORT|IDCVN|PNOVN|PASVN)(\\?[:\-=] ?)[0-9A-Z]+`)
)

const masked = "${1}${2}=…"

// maskIdentity hides them in a text.
func maskIdentity(s string) string {
	s = identifiers.ReplaceAllStringFunc(s, func(found string) string {
		if m := identifiers.FindStringSubmatch(found); bodyCodes.MatchString(m[3]) {
			return found
		}
		return identifiers.ReplaceAllString(found, masked)
	})
	return loose.ReplaceAllString(s, "${1}${2}…")
}

// forEveryone is the report as this site shows it: no number or address of a person that a
// certificate in the file holds. r is left as it is.
func forEveryone(r *verify.Report) *verify.Report {
	out := *r
	out.Checks, out.Warnings = maskChecks(r.Checks), slices.Clone(r.Warnings)
	for i := range out.Warnings {
		out.Warnings[i] = maskIdentity(out.Warnings[i])
	}
	out.Signatures = slices.Clone(r.Signatures)
	for i := range out.Signatures {
		x := &out.Signatures[i]
		x.Signer, x.Checks, x.Path = maskIdentity(x.Signer), maskChecks(x.Checks), slices.Clone(x.Path)
		for j := range x.Path {
			x.Path[j].Subject, x.Path[j].Issuer = maskIdentity(x.Path[j].Subject), maskIdentity(x.Path[j].Issuer)
		}
	}
	return &out
}

func maskChecks(checks []validation.Check) []validation.Check {
	checks = slices.Clone(checks)
	for i := range checks {
		checks[i].VI, checks[i].EN = maskIdentity(checks[i].VI), maskIdentity(checks[i].EN)
	}
	return checks
}

// withoutNames is forEveryone for a page that others open, not who holds the file: signers
// are called as the register calls them, and the certificates are left to the file.
func (s *Site) withoutNames(r *verify.Report) *verify.Report {
	out := forEveryone(r)
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
