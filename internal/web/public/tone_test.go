package public

import (
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/validation"
)

// TestGreenIsRare goes through every combination of verdicts: green is only what was compared,
// is ours, is valid, and either passed in every respect or was compared by its digest.
func TestGreenIsRare(t *testing.T) {
	var conclusions []verify.Conclusion
	for _, origin := range []verify.Origin{"", verify.AsIssued, verify.Extended, verify.Altered, verify.Pretends, verify.Another, verify.Result} {
		for _, status := range []verify.Status{verify.Valid, verify.Annulled, verify.Void, verify.Erased, verify.Unknown, verify.StatusNotChecked} {
			for _, integrity := range []validation.Integrity{validation.Intact, validation.Modified, validation.Broken, validation.IntegrityNone, validation.IntegrityNotChecked} {
				for _, issuer := range []validation.Issuer{validation.Trusted, validation.Untrusted, validation.Undetermined} {
					for _, ind := range []validation.Indication{validation.TotalPassed, validation.Indeterminate, validation.TotalFailed, validation.NoSignature} {
						for _, checked := range []bool{true, false} {
							r := &verify.Report{Origin: origin, Status: status, Integrity: integrity, Issuer: issuer, Indication: ind,
								Signatures: []validation.Signature{{}, {}}}
							c := r.Conclude(checked)
							conclusions = append(conclusions, c, sharedHeadline(r, checked))
							class := c.Tone
							good := checked && (origin == verify.AsIssued || origin == verify.Extended) && status == verify.Valid &&
								integrity == validation.Intact && issuer == validation.Trusted && ind == validation.TotalPassed
							if (class == verify.Green) != good {
								t.Fatalf("%+v checked=%v is %s", r, checked, class)
							}
							if (status == verify.Annulled || status == verify.Void) && origin != verify.Result && class != verify.Red {
								t.Fatalf("%s is %s", status, class)
							}
							if shared := sharedHeadline(r, checked); (shared.Tone == verify.Green) != (good && origin == verify.AsIssued) {
								t.Fatalf("shared: %+v checked=%v is %s", r, checked, shared.Tone)
							}
							byDigest := &verify.Report{Origin: origin, Status: status, SubIndication: validation.SignedDataNotFound, Indication: validation.Indeterminate}
							class = byDigest.Conclude(checked).Tone
							if class == verify.Green && (!checked || status != verify.Valid || origin != verify.AsIssued && origin != verify.Extended) {
								t.Fatalf("digest: %+v checked=%v is green", byDigest, checked)
							}
						}
					}
				}
			}
		}
	}
	for _, c := range conclusions {
		if c.Says.VI == "" || c.Says.EN == "" || c.Next.VI == "" || c.Next.EN == "" || strings.Contains(c.Says.VI+c.Says.EN, "%") {
			t.Fatalf("%q has no words", c.Key)
		}
	}
}
