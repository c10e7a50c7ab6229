package public

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/validation"
)

// TestGreenIsRare goes through every combination of verdicts: green is only what was compared,
// is ours, is valid, and either passed in every respect or was compared by its digest.
func TestGreenIsRare(t *testing.T) {
	texts := map[string]bool{}
	for _, origin := range []verify.Origin{"", verify.AsIssued, verify.Extended, verify.Altered, verify.Pretends, verify.Another} {
		for _, status := range []verify.Status{verify.Valid, verify.Annulled, verify.Void, verify.Erased, verify.Unknown, verify.StatusNotChecked} {
			for _, integrity := range []validation.Integrity{validation.Intact, validation.Modified, validation.Broken, validation.IntegrityNone, validation.IntegrityNotChecked} {
				for _, issuer := range []validation.Issuer{validation.Trusted, validation.Untrusted, validation.Undetermined} {
					for _, ind := range []validation.Indication{validation.TotalPassed, validation.Indeterminate, validation.TotalFailed, validation.NoSignature} {
						for _, checked := range []bool{true, false} {
							r := &verify.Report{Origin: origin, Status: status, Integrity: integrity, Issuer: issuer, Indication: ind,
								Signatures: []validation.Signature{{}, {}}}
							key, class := headlineOf(r, checked)
							texts[key] = true
							good := checked && (origin == verify.AsIssued || origin == verify.Extended) && status == verify.Valid &&
								integrity == validation.Intact && issuer == validation.Trusted && ind == validation.TotalPassed
							if (class == "ok") != good {
								t.Fatalf("%+v checked=%v is %s", r, checked, class)
							}
							if (status == verify.Annulled || status == verify.Void) && class != "bad" {
								t.Fatalf("%s is %s", status, class)
							}
							if shared := sharedHeadline(r, checked); (shared["Class"] == "ok") != (good && origin == verify.AsIssued) {
								t.Fatalf("shared: %+v checked=%v is %s", r, checked, shared["Class"])
							}
							byDigest := &verify.Report{Origin: origin, Status: status, SubIndication: validation.SignedDataNotFound, Indication: validation.Indeterminate}
							key, class = headlineOf(byDigest, checked)
							texts[key] = true
							if class == "ok" && (!checked || status != verify.Valid || origin != verify.AsIssued && origin != verify.Extended) {
								t.Fatalf("digest: %+v checked=%v is green", byDigest, checked)
							}
						}
					}
				}
			}
		}
	}
	for _, key := range []string{"good", "erased", "annulled", "void", "unknown"} {
		texts["../shared."+key] = true
	}
	b, err := files.ReadFile("text/vi.json")
	if err != nil {
		t.Fatal(err)
	}
	var vi map[string]string
	if err := json.Unmarshal(b, &vi); err != nil {
		t.Fatal(err)
	}
	for key := range texts {
		key = strings.TrimPrefix("head."+key, "head.../")
		if vi[key] == "" || vi[key+".next"] == "" {
			t.Errorf("no text for %q", key)
		}
	}
}
