package issue

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// SubmissionDigest is the digest of what a certifier is shown: the pages, by their digest,
// and the facts that will be in the book and on the page. A confirmation carries it; if the
// frozen submission has another, the confirmation is refused.
func SubmissionDigest(c certcopy.Copy) certcopy.Digest {
	shown := struct {
		Version   string
		Copy      certcopy.CopyID
		Agency    certcopy.AgencyID
		Pages     certcopy.Digest
		Length    int64
		Requester string
		Original  certcopy.Original
		Code      string
	}{"saoy submission v1", c.ID, c.Agency, c.Clean.Digest, c.Clean.Size, c.Requester, c.Original, c.Code}
	b, err := json.Marshal(shown)
	if err != nil {
		panic(fmt.Sprintf("issue: a struct of strings and numbers does not marshal: %v", err))
	}
	return certcopy.DigestOf(b)
}

// Submit freezes a copy for the certifier. The clerk must have compared the pages with the
// paper; a page below certcopy.MinDPI on the paper asks for a reason.
func (f *Flow) Submit(ctx context.Context, s storage.Submission) error {
	c, err := f.Ledger.Copy(ctx, s.Copy)
	if err != nil {
		return err
	}
	if !s.Checked {
		return certcopy.Errorf(certcopy.Invalid, "checked", nil, certcopy.Msg(
			"Chưa đánh dấu đã đối chiếu với bản chính. Hãy đối chiếu từng trang với bản giấy rồi đánh dấu.",
			"The comparison with the paper original is not ticked. Compare each page with the paper, then tick it."))
	}
	if c.Clean.Digest.IsZero() {
		return certcopy.Errorf(certcopy.Invalid, "scans", nil, certcopy.Msg(
			"Chưa có trang nào được quét. Hãy tải lên bản quét của bản chính.",
			"There is no scanned page yet. Upload the scan of the original."))
	}
	if page := LowResolution(c.Clean); page > 0 && s.LowResolutionReason == "" {
		return certcopy.Errorf(certcopy.Invalid, "low_resolution_reason", nil, certcopy.Msg(
			fmt.Sprintf("Trang %d có độ phân giải dưới %d dpi. Hãy quét lại, hoặc ghi lý do chấp nhận.", page, certcopy.MinDPI),
			fmt.Sprintf("Page %d has a resolution below %d dpi. Scan it again, or write why it is accepted.", page, certcopy.MinDPI)))
	}
	s.Digest = SubmissionDigest(c)
	return f.Ledger.Submit(ctx, s)
}

// LowResolution returns the first page, from 1, that is below the statutory
// resolution, or 0.
func LowResolution(d certcopy.CleanDocument) int {
	for i, p := range d.Pages {
		if p.LowResolution() {
			return i + 1
		}
	}
	return 0
}
