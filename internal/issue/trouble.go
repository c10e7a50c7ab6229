package issue

import (
	"context"
	"errors"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/storage"
)

// Why a copy waits, where neither storage nor signer has an error for it.
var (
	// errGenerationSpent means that the prepared bytes of a generation cannot become a file.
	errGenerationSpent = errors.New("generation spent")
	// errTimeStamp means that there is no time-stamp, whoever is to blame.
	errTimeStamp = errors.New("time-stamp")
	// errCertificate means that validation data speaks against a certificate, or says nothing.
	errCertificate = errors.New("validation data")
	// errLevel means that the finished file would not pass, or not at the required level.
	errLevel = errors.New("examine the final file")
)

// recordTimeout is how long a step that ran out of time may still take to say so.
const recordTimeout = 5 * time.Second

// record keeps the reason why a copy waits where its people see it. The ledger forgets it
// with the next change of state.
func (f *Flow) record(ctx context.Context, c certcopy.Copy, err error) {
	if errors.Is(err, context.Canceled) {
		return // this process ends; that is no trouble of the copy
	}
	trouble := waiting(err)
	if trouble == c.Trouble {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	// The trouble is information only; the step's own outcome is what counts.
	_ = f.Ledger.SetTrouble(ctx, c.ID, trouble)
}

// waiting says in words for people why a step will be tried again.
func waiting(err error) certcopy.Message {
	var told *certcopy.Error
	unavailable := errors.Is(err, signer.ErrUnavailable)
	switch {
	case errors.As(err, &told):
		return certcopy.MessageOf(err)
	case errors.Is(err, signer.ErrKeyRefused):
		return certcopy.Msg("Khóa ký không được phép dùng lúc này (hết hạn, bị thu hồi hoặc sai mục đích). Hãy báo quản trị viên thay chứng thư; bản sao sẽ tự tiếp tục.",
			"The signing key may not be used now (expired, revoked or of the wrong kind). Ask the administrator to replace the certificate; the copy goes on by itself.")
	case errors.Is(err, errGenerationSpent):
		return certcopy.Msg("Phần chuẩn bị ký không dùng được nữa (chứng thư vừa được thay, hoặc dấu thời gian lớn hơn chỗ dành sẵn). Hệ thống tự chuẩn bị và ký lại, không cần làm gì.",
			"What was prepared for signing can no longer be used (the certificate was replaced, or the time-stamp is larger than its place). The system prepares and signs anew by itself; nothing need be done.")
	case errors.Is(err, errTimeStamp) && !unavailable && !errors.Is(err, context.DeadlineExceeded):
		return certcopy.Msg("Dịch vụ cấp dấu thời gian từ chối hoặc trả lời sai; câu trả lời đó không được dùng. Hệ thống tự thử lại; nếu kéo dài, hãy báo quản trị viên.",
			"The time-stamp service refused, or its answer is wrong and was not used. The system tries again by itself; if it persists, tell the administrator.")
	case errors.Is(err, errCertificate) && !unavailable && !errors.Is(err, context.DeadlineExceeded):
		return certcopy.Msg("Chưa chứng minh được chứng thư còn hiệu lực khi ký (bị thu hồi, hoặc dữ liệu thu hồi đã cũ hay sai). Bản sao chưa được phát hành; hãy báo quản trị viên kiểm tra chứng thư. Nếu chứng thư đã bị thu hồi trước khi ký thì bản sao này không thể phát hành: người chứng thực hoặc quản trị viên mở trang bản sao, chọn “Hủy số”, rồi tiếp nhận lại bản chính thành bản sao mới.",
			"It is not proven that the certificates were valid at signing (revoked, or the revocation data is stale or wrong). The copy is not issued; ask the administrator to check the certificates. If one was revoked before it signed, this copy cannot be issued: the certifier or the administrator opens its page, voids the number, and the original is received again as a new copy.")
	case errors.Is(err, errLevel):
		return certcopy.Msg("Tệp hoàn chỉnh chưa đạt mức chữ ký yêu cầu nên chưa được phát hành. Hệ thống tự thử lại; nếu kéo dài, hãy báo quản trị viên.",
			"The finished file does not reach the required signature level yet, so it is not issued. The system tries again by itself; if it persists, tell the administrator.")
	case unavailable, errors.Is(err, context.DeadlineExceeded):
		return certcopy.Msg("Khóa ký, dịch vụ cấp dấu thời gian hoặc dịch vụ chứng thư chưa trả lời. Hệ thống tự thử lại, không cần làm gì.",
			"The signing key, the time-stamp service or the certification authority does not answer. The system tries again by itself; nothing need be done.")
	case errors.Is(err, storage.ErrUnavailable), errors.Is(err, storage.ErrOutcomeUnknown):
		return certcopy.Msg("Kho lưu trữ chưa trả lời. Hệ thống tự thử lại, không cần làm gì.",
			"The store does not answer. The system tries again by itself; nothing need be done.")
	default:
		return certcopy.MessageOf(err)
	}
}
