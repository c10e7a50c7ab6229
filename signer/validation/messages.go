package validation

import "fmt"

// message is one plain sentence in both languages with the clause it rests on.
type message struct{ clause, vi, en string }

// both is a part of a sentence that differs between the languages.
type both struct{ vi, en string }

// of fills the verbs of a message; a value of type both gives each language its own.
func (m message) of(args ...any) message {
	vi, en := make([]any, len(args)), make([]any, len(args))
	for i, a := range args {
		if b, ok := a.(both); ok {
			vi[i], en[i] = b.vi, b.en
			continue
		}
		vi[i], en[i] = a, a
	}
	return message{m.clause, fmt.Sprintf(m.vi, vi...), fmt.Sprintf(m.en, en...)}
}

func (m message) both() both { return both{m.vi, m.en} }

func (m message) check(id string, result Result) Check {
	return Check{ID: id, Clause: m.clause, Result: result, VI: m.vi, EN: m.en}
}

// Clauses that several messages name.
const (
	clauseByteRange = "ISO 32000-2 §12.8.1"
	clauseUpdate    = "ISO 32000-2 §7.5.6"
	clauseMDP       = "ISO 32000-2 §12.8.2"
	clauseFormat    = "ETSI EN 319 102-1 §5.2.2"
	clauseCrypto    = "ETSI EN 319 102-1 §5.2.7"
	clauseX509      = "ETSI EN 319 102-1 §5.2.6"
	clausePOE       = "ETSI EN 319 102-1 §5.6"
	clausePolicy    = "ETSI TS 119 312 §9"
)

// Checks of the file.
var (
	msgOpened = message{clauseUpdate,
		"Tệp đọc được theo một cách duy nhất.",
		"The file reads in one way only."}
	msgUnreadable = message{clauseFormat,
		"Không đọc được tệp này như một tài liệu PDF đúng quy cách (%s); hãy xin lại bản gốc từ nơi gửi.",
		"This file cannot be read as a well-formed PDF document (%s); ask the sender for the original file."}
	msgTooLong = message{clauseFormat,
		"Không kiểm tra được tệp: tệp đòi hỏi hơn %s xử lý. Tệp bình thường không như vậy; hãy xin lại tệp từ nơi gửi.",
		"The file could not be examined: it takes more than %s. Ordinary files do not; ask the sender for the file again."}
	msgEncrypted = message{clauseFormat,
		"Tệp bị mã hoá nên không kiểm tra được nội dung; hãy xin một bản không đặt mật khẩu.",
		"The file is encrypted, so its content cannot be examined; ask for a copy without a password."}
	msgAppended = message{clauseUpdate,
		"Sau bản đã ký, tệp bị nối thêm %d byte không tạo thành một bản cập nhật hợp lệ (tấn công lưu gia tăng): có chương trình sẽ hiển thị phần nối thêm đó.",
		"After its last valid revision, %d bytes were appended that form no valid update (incremental saving attack): some programs will show what was appended."}
	msgHidden = message{clauseUpdate,
		"Trong phần cập nhật có dữ liệu mà bảng tham chiếu không kê khai (tại byte %d: %s): hai chương trình có thể hiểu tệp khác nhau.",
		"An update holds data its cross-reference table does not declare (at byte %d: %s): two programs may understand the file differently."}
	msgAmbiguous = message{"ISO 32000-2 §7.3.7",
		"Trong tài liệu có một khoá mang hai giá trị (/%s): hai chương trình có thể hiển thị tài liệu khác nhau.",
		"The document gives one key two values (/%s): two programs may show the document differently."}
)

// Checks of the byte range.
var (
	msgRangeOK = message{clauseByteRange,
		"Chữ ký bao trọn một bản của tệp, chỉ trừ đúng chỗ đặt chữ ký.",
		"The signature covers one whole revision of the file, except exactly the place of the signature itself."}
	msgRangeBad = message{clauseByteRange,
		"Vùng được ký không hợp lệ (%s): một phần của tệp có thể bị thay mà chữ ký vẫn tỏ ra đúng.",
		"The signed byte range is not valid (%s): part of the file could be replaced while the signature seems right."}
	msgContentsBad = message{clauseByteRange,
		"Trường chữ ký không chứa chữ ký (%s): đây không phải là một tài liệu được ký.",
		"The signature field holds no signature (%s): this is not a signed document."}
	msgRevisionBad = message{clauseUpdate,
		"Phần được ký không phải là một bản PDF hoàn chỉnh (%s).",
		"What was signed is not a complete PDF revision (%s)."}
)

var msgDigits = message{"ISO 32000-2 §7.3.4.3",
	"Giá trị chữ ký được viết lẫn chữ số thập lục phân hoa và thường: có thể tệp đã bị sửa ở chỗ không chữ ký nào bảo vệ.",
	"The value of the signature is written in hexadecimal digits of both cases: the file may have been altered where no signature protects it."}

// Checks of what came after.
var (
	msgNothingAfter = message{clauseMDP,
		"Không có gì được thêm vào tệp sau khi ký.",
		"Nothing was added to the file after signing."}
	msgAllowedAfter = message{clauseMDP,
		"Sau khi ký chỉ có những thay đổi được phép: %s.",
		"After signing there are only changes that are allowed: %s."}
	msgDisallowedAfter = message{clauseMDP,
		"Tài liệu đã bị thay đổi sau khi ký: %s. Nội dung đang hiển thị không phải là nội dung đã ký.",
		"The document was changed after signing: %s. What it shows now is not what was signed."}
	msgChangesUnknown = message{clauseMDP,
		"Không so sánh được tài liệu với bản đã ký: %s.",
		"The document could not be compared with what was signed: %s."}
)

// Checks of the CMS.
var (
	msgCMSBad = message{clauseFormat,
		"Dữ liệu chữ ký sai định dạng (%s).",
		"The signature data is malformed (%s)."}
	msgEnvelope = message{"RFC 5652 §5.1",
		"Phần vỏ của chữ ký, không chữ ký nào bảo vệ, khác với quy cách (%s): có thể tệp đã bị sửa ở đó.",
		"The envelope of the signature, which no signature protects, is not as it must be (%s): the file may have been altered there."}
	msgCMSOK = message{clauseFormat,
		"Dữ liệu chữ ký đúng định dạng CMS, một người ký.",
		"The signature data is well-formed CMS with one signer."}
	msgNotDone = message{clauseFormat,
		"Không kiểm tra được vì một bước trước đó không đạt.",
		"Could not be checked because an earlier check failed."}
	msgBagBad = message{"RFC 5652 §10.2.3",
		"Một chứng thư kèm theo chữ ký bị hỏng hoặc bị sửa (%s).",
		"A certificate that comes with the signature is damaged or altered (%s)."}
	msgStoreBad = message{"ETSI EN 319 142-1 §5.4.2",
		"Dữ liệu kiểm chứng thêm vào sau chữ ký cuối, không chữ ký nào bảo vệ, bị hỏng hoặc bị sửa (%s).",
		"The validation data that came after the last signature, which no signature protects, is damaged or altered (%s)."}
	msgSubFilter = message{clauseByteRange,
		"Kiểu chữ ký %s không được hỗ trợ.",
		"Signatures of kind %s are not supported."}
	msgDigestOK = message{clauseCrypto,
		"Các byte được ký còn nguyên vẹn.",
		"The bytes that were signed are unchanged."}
	msgDigestBad = message{clauseCrypto,
		"Các byte được ký đã bị sửa: giá trị băm không khớp.",
		"The bytes that were signed have been altered: the digest does not match."}
	msgValueOK = message{clauseCrypto,
		"Giá trị chữ ký đúng với khoá của chứng thư người ký.",
		"The signature value fits the key of the signer's certificate."}
	msgValueBad = message{clauseCrypto,
		"Giá trị chữ ký không đúng với khoá của chứng thư người ký (%s).",
		"The signature value does not fit the key of the signer's certificate (%s)."}
	msgESSOK = message{"ETSI EN 319 122-1 §5.2.2",
		"Chữ ký ràng buộc đúng chứng thư đã dùng để ký.",
		"The signature is bound to the certificate that made it."}
	msgESSBad = message{"ETSI EN 319 122-1 §5.2.2",
		"Chứng thư mà chữ ký nêu không phải là chứng thư đã ký (%s).",
		"The certificate the signature names is not the one that signed (%s)."}
	msgESSNone = message{"ETSI EN 319 122-1 §5.2.2",
		"Chữ ký không ghi rõ chứng thư đã ký (kiểu cũ, không phải PAdES).",
		"The signature does not name its certificate (older kind, not PAdES)."}
	msgWeak = message{clausePolicy,
		"Thuật toán %s không còn đủ an toàn tại thời điểm %s.",
		"The algorithm %s was no longer secure enough at %s."}
	msgStrong = message{clausePolicy,
		"Thuật toán %s đủ an toàn tại thời điểm %s.",
		"The algorithm %s was secure enough at %s."}
)

// Checks of time and trust.
var (
	msgTimeProven = message{"ETSI EN 319 102-1 §5.5",
		"Dấu thời gian chứng minh chữ ký đã có từ %s (%s).",
		"A time-stamp proves that the signature existed at %s (%s)."}
	msgTimeBad = message{"ETSI EN 319 102-1 §5.4",
		"Dấu thời gian không hợp lệ (%s).",
		"The time-stamp is not valid (%s)."}
	msgTimeUnproven = message{clausePOE,
		"Không có dấu thời gian: thời điểm ký chỉ do người ký tự khai.",
		"There is no time-stamp: the time of signing is only the signer's claim."}
	msgTimeUntrusted = message{"ETSI EN 319 102-1 §5.4",
		"Dấu thời gian do tổ chức không được tin cậy cấp (%s).",
		"The time-stamp comes from an authority that is not trusted (%s)."}
	msgPathOK = message{clauseX509,
		"Chứng thư người ký nối được tới nơi tin cậy %s, hợp lệ tại %s.",
		"The signer's certificate leads to the trust anchor %s, valid at %s."}
	msgDemonstration = message{clauseX509,
		"Nơi tin cậy “%s” chỉ để trình diễn: chữ ký KHÔNG có giá trị pháp lý.",
		"The trust anchor “%s” is for demonstrations only: the signature has NO legal value."}
	msgPathNone = message{clauseX509,
		"Chứng thư người ký không nối được tới nơi tin cậy nào đã cấu hình (%s).",
		"The signer's certificate leads to none of the configured trust anchors (%s)."}
	msgPathBad = message{clauseX509,
		"Đường dẫn chứng thư không hợp lệ (%s).",
		"The certificate path is not valid (%s)."}
	msgExpired = message{clauseX509,
		"Chứng thư hết hạn và không có dấu thời gian chứng minh chữ ký có trước khi hết hạn (%s).",
		"A certificate has expired and no time-stamp proves that the signature is older (%s)."}
	msgRevokedBefore = message{clauseX509,
		"Chứng thư đã bị thu hồi (%s).",
		"A certificate had been revoked (%s)."}
	msgRevocationOK = message{"ETSI EN 319 102-1 §5.2.5",
		"Không chứng thư nào trong đường dẫn bị thu hồi tại thời điểm đó.",
		"No certificate of the path was revoked at that time."}
	msgRevocationOpen = message{"ETSI EN 319 102-1 §5.2.5",
		"Chưa biết chứng thư có bị thu hồi hay không (%s); hãy thử lại khi có mạng.",
		"It is not known whether a certificate was revoked (%s); try again with network access."}
	msgRevocationOff = message{"ETSI EN 319 102-1 §5.2.5",
		"Chưa kiểm tra thu hồi.",
		"Revocation was not checked."}
)
