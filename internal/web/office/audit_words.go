package office

import (
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// auditWords say what an action is. One that is not here is shown as it stands.
var auditWords = map[string]certcopy.Message{
	"certifier.sign":          certcopy.Msg("Dùng khóa ký của người chứng thực", "Certifier's key used"),
	"agency.sign":             certcopy.Msg("Dùng khóa con dấu của cơ quan", "Agency's seal key used"),
	"copy.received":           certcopy.Msg("Tiếp nhận bản sao, hoặc thay bản quét", "Copy received, or its scans replaced"),
	"copy.scanned":            certcopy.Msg("Có bản quét sạch", "Clean document made"),
	"copy.submitted":          certcopy.Msg("Trình ký", "Submitted"),
	"copy.numbered":           certcopy.Msg("Lấy số chứng thực", "Number taken"),
	"copy.stamped":            certcopy.Msg("In lời chứng", "Statement drawn"),
	"copy.signed":             certcopy.Msg("Đã ký", "Signed"),
	"copy.sealed":             certcopy.Msg("Đã đóng dấu", "Sealed"),
	"copy.registered":         certcopy.Msg("Ghi vào nhật ký công khai", "Registered in the log"),
	"copy.released":           certcopy.Msg("Phát hành", "Released"),
	"copy.returned":           certcopy.Msg("Trả lại để sửa", "Returned"),
	"copy.refused":            certcopy.Msg("Từ chối", "Refused"),
	"copy.withdrawn":          certcopy.Msg("Rút yêu cầu", "Withdrawn"),
	"copy.void":               certcopy.Msg("Hủy số", "Voided"),
	"copy.annulled":           certcopy.Msg("Hủy bỏ giá trị", "Annulled"),
	"copy.edit":               certcopy.Msg("Sửa thông tin bản chính", "Facts of the original edited"),
	"copy.pages":              certcopy.Msg("Sửa trang", "Pages edited"),
	"copy.certify":            certcopy.Msg("Xác nhận chứng thực", "Certification confirmed"),
	"copy.certify-cancelled":  certcopy.Msg("Bỏ xác nhận chứng thực vì không thực hiện được", "Confirmation taken back: it could not be carried out"),
	"copy.seal":               certcopy.Msg("Xác nhận đóng dấu", "Seal confirmed"),
	"request.insert":          certcopy.Msg("Tạo yêu cầu", "Request created"),
	"contact.delete":          certcopy.Msg("Xóa số giấy tờ và liên hệ của người yêu cầu", "Requester's identity number and contact deleted"),
	"session.begin":           certcopy.Msg("Đăng nhập", "Signed in"),
	"session.end":             certcopy.Msg("Kết thúc phiên", "Session ended"),
	"link.open":               certcopy.Msg("Mở liên kết chia sẻ", "Sharing link opened"),
	"sharing-link.insert":     certcopy.Msg("Tạo liên kết chia sẻ", "Sharing link made"),
	"sharing-link.update":     certcopy.Msg("Thu hồi liên kết chia sẻ", "Sharing link revoked"),
	"sharing-link.delete":     certcopy.Msg("Xóa liên kết chia sẻ", "Sharing link deleted"),
	"erasure.insert":          certcopy.Msg("Xóa tệp và dữ liệu cá nhân", "File and personal data erased"),
	"annulment.insert":        certcopy.Msg("Ghi quyết định hủy bỏ giá trị", "Decision of annulment entered"),
	"account.insert":          certcopy.Msg("Tạo tài khoản", "Account created"),
	"account.update":          certcopy.Msg("Sửa tài khoản", "Account changed"),
	"account.roles":           certcopy.Msg("Đổi vai trò của tài khoản", "Roles of an account changed"),
	"account.password":        certcopy.Msg("Đổi mật khẩu của tài khoản", "Password of an account changed"),
	"account.disable":         certcopy.Msg("Khóa tài khoản", "Account disabled"),
	"account.enable":          certcopy.Msg("Mở lại tài khoản", "Account enabled"),
	"authorisation.insert":    certcopy.Msg("Ghi văn bản ủy quyền", "Authorisation entered"),
	"authorisation.update":    certcopy.Msg("Thu hồi ủy quyền", "Authorisation revoked"),
	"signing-key.insert":      certcopy.Msg("Ghi khóa ký", "Signing key enrolled"),
	"signing-key.update":      certcopy.Msg("Ngừng khóa ký", "Signing key retired"),
	"retention-policy.insert": certcopy.Msg("Ghi quy định thời hạn lưu", "Retention policy entered"),
	"wording.insert":          certcopy.Msg("Sửa lời chứng", "Wording changed"),
	"look.insert":             certcopy.Msg("Thay hình chữ ký hoặc con dấu", "Image of a signature or seal changed"),
	"saoy audit":              certcopy.Msg("Xuất nhật ký kiểm toán", "Audit exported"),
	"GET /copies/{copy}/pdf":  certcopy.Msg("Tải tệp bản sao", "Copy's file downloaded"),
	"GET /search":             certcopy.Msg("Tìm kiếm", "Search"),
	"GET /audit":              certcopy.Msg("Xem nhật ký kiểm toán", "Audit seen"),
	"GET /accounts":           certcopy.Msg("Xem danh sách tài khoản", "Accounts seen"),
	"GET /":                   certcopy.Msg("Xem trang chính", "Main page seen"),
}

func auditSays(e storage.AuditEvent) certcopy.Message {
	if m, ok := auditWords[e.Action]; ok {
		return m
	}
	if strings.HasPrefix(e.Action, "GET /copies/") {
		return certcopy.Msg("Xem bản sao", "Copy seen")
	}
	return certcopy.Msg(e.Action, e.Action)
}
