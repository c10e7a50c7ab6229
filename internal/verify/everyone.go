package verify

import (
	"regexp"
	"slices"

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

// MaskIdentity hides the numbers and addresses of persons in a distinguished name or a sentence.
func MaskIdentity(s string) string {
	s = identifiers.ReplaceAllStringFunc(s, func(found string) string {
		if m := identifiers.FindStringSubmatch(found); bodyCodes.MatchString(m[3]) {
			return found
		}
		return identifiers.ReplaceAllString(found, masked)
	})
	return loose.ReplaceAllString(s, "${1}${2}…")
}

// ForEveryone is the report as whoever asks without an account gets it: no number or address
// of a person that a certificate in the file holds. r is left as it is.
func (r *Report) ForEveryone() *Report {
	out := *r
	out.Checks, out.Warnings = maskChecks(r.Checks), slices.Clone(r.Warnings)
	for i := range out.Warnings {
		out.Warnings[i] = MaskIdentity(out.Warnings[i])
	}
	out.Signatures = slices.Clone(r.Signatures)
	for i := range out.Signatures {
		x := &out.Signatures[i]
		x.Signer, x.Checks, x.Path = MaskIdentity(x.Signer), maskChecks(x.Checks), slices.Clone(x.Path)
		x.Reason, x.Location = MaskIdentity(x.Reason), MaskIdentity(x.Location)
		for j := range x.Path {
			x.Path[j].Subject, x.Path[j].Issuer = MaskIdentity(x.Path[j].Subject), MaskIdentity(x.Path[j].Issuer)
		}
	}
	return &out
}

func maskChecks(checks []validation.Check) []validation.Check {
	checks = slices.Clone(checks)
	for i := range checks {
		checks[i].VI, checks[i].EN = MaskIdentity(checks[i].VI), MaskIdentity(checks[i].EN)
	}
	return checks
}
