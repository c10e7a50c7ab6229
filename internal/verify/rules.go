package verify

import (
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/validation"
)

// checkID names a check of ours in a report; those of signer/validation have their own.
type checkID string

const (
	checkRegistered checkID = "register.file"
	checkStatus     checkID = "register.status"
	checkFile       checkID = "register.file-given"
	checkSignatures checkID = "copy.signatures"
	checkAdditions  checkID = "copy.additions"
	checkExamined   checkID = "file.examined"
)

var clauses = map[checkID]string{
	checkRegistered: "docs/register.md", checkStatus: "docs/register.md", checkFile: "docs/verification.md",
	checkExamined: "docs/verification.md", checkResult: "docs/verification.md", checkSignatures: "NĐ 45/2020 Điều 10", checkAdditions: "ETSI EN 319 142-1 §5.4",
}

// copyRules are what holds for our copies beyond what holds for every signed file: the
// certifier's signature, then the agency's, each in its field, and nothing after the
// registered bytes but validation data and document time-stamps.
func (v *Verifier) copyRules(r *Report) {
	if v.bothSigned(r.Signatures) {
		r.add(checkSignatures, validation.Passed, sayBothSigned)
	} else {
		r.fail(checkSignatures, validation.Broken, validation.SigConstraintsFailure, sayNotBothSigned)
	}
	if r.Origin != Extended {
		return
	}
	if onlyValidationData(r.Signatures) && r.Integrity == validation.Intact {
		r.add(checkAdditions, validation.Passed, sayExtended)
		return
	}
	r.Origin = Altered
	r.fail(checkAdditions, validation.Modified, validation.FormatFailure, sayAltered)
}

func (v *Verifier) bothSigned(s []validation.Signature) bool {
	return len(s) >= 2 &&
		s[0].Kind == validation.KindSignature && s[0].Field == v.CertifierField &&
		s[1].Kind == validation.KindSignature && s[1].Field == v.AgencyField
}

// onlyValidationData: after the two signatures there are time-stamps only, and no signature
// saw a change it does not allow.
func onlyValidationData(s []validation.Signature) bool {
	for i, x := range s {
		if i >= 2 && x.Kind != validation.KindDocTimestamp || x.ChangesAfter == validation.ChangesDisallowed {
			return false
		}
	}
	return true
}

// What the checks say.
var (
	sayTooDemanding  = certcopy.Msg("Không kiểm tra được tệp: tệp đòi hỏi quá nhiều bộ nhớ hoặc thời gian. Tệp bình thường không như vậy.", "The file could not be examined: it demands too much memory or time. Ordinary files do not.")
	sayCrashed       = certcopy.Msg("Không kiểm tra được tệp: chương trình đọc bị dừng vì nội dung tệp.", "The file could not be examined: its content stopped the reader.")
	sayValid         = certcopy.Msg("Sổ chứng thực: bản sao này đang có giá trị.", "The register: this copy is valid.")
	sayAnnulled      = certcopy.Msg("Bản sao này đã bị hủy bỏ giá trị pháp lý theo quyết định của cơ quan cấp.", "This copy was declared without legal value by decision of the issuing agency.")
	sayVoid          = certcopy.Msg("Số chứng thực này chưa từng được phát hành.", "This certificate number was never issued.")
	sayErased        = certcopy.Msg("Bản sao này đã được cấp; tệp lưu tại cơ quan đã được xóa theo quy định về dữ liệu cá nhân.", "This copy was issued; the agency's stored file was erased under the rules on personal data.")
	sayRegistered    = certcopy.Msg("Tệp trùng với bản sao đã ghi trong sổ.", "The file is the copy that stands in the register.")
	sayNotInRegister = certcopy.Msg("Tệp này không có trong sổ của hệ thống này.", "This file is not in the register of this system.")
	sayElsewhere     = certcopy.Msg("Sổ của hệ thống này không có mã xác minh của tệp; tệp có chữ ký hợp lệ nên có thể do hệ thống khác cấp. Hãy tra cứu theo địa chỉ in trên tệp.",
		"The register of this system does not know the file's verification code; the file is well signed, so another system may have issued it. Look it up at the address printed on it.")
	sayFileNotChecked = certcopy.Msg("Chưa kiểm tra tệp: mới chỉ có mã xác minh.", "No file was checked: only a verification code was given.")
	sayOnlyDigest     = certcopy.Msg("Chữ ký chưa được kiểm tra: mới chỉ có mã SHA-256 của tệp.", "The signatures were not checked: only the file's SHA-256 was given.")
	sayPretends       = certcopy.Msg("Tệp này mang mã xác minh của một bản sao có thật, nhưng KHÔNG phải là tệp đã được cấp. Nội dung có thể đã bị thay đổi hoặc làm giả. Không nên chấp nhận.",
		"This file bears the verification code of a genuine copy but is NOT the file that was issued. Its content may be altered or forged. Do not accept it.")
	sayAnother         = certcopy.Msg("Tệp này KHÔNG phải là bản sao mang mã đang tra cứu. Không nên chấp nhận.", "This file is NOT the copy that bears the code looked up. Do not accept it.")
	sayPretendsUnknown = certcopy.Msg("Tệp này mang mã xác minh theo mẫu của hệ thống, nhưng sổ không có mã đó và không có tệp này. Không nên chấp nhận.",
		"This file bears a verification code in our form, but the register has neither that code nor this file. Do not accept it.")
	sayBothSigned    = certcopy.Msg("Có đủ hai chữ ký theo thứ tự: người thực hiện chứng thực, rồi cơ quan.", "Both signatures are there, in order: the certifier's, then the agency's.")
	sayNotBothSigned = certcopy.Msg("Không có đủ hai chữ ký của người thực hiện chứng thực và của cơ quan, đúng chỗ và đúng thứ tự.", "The certifier's and the agency's signatures are not both there, in their places and order.")
	sayExtended      = certcopy.Msg("Sau bản đã ghi sổ chỉ có thêm dữ liệu kiểm tra và dấu thời gian, không có nội dung mới.", "After the registered bytes there are only validation data and time-stamps, nothing new to see.")
	sayAltered       = certcopy.Msg("Tệp bắt đầu bằng bản đã ghi sổ nhưng phía sau có phần thêm vào không được phép. Không nên chấp nhận.", "The file begins with the registered copy, but what follows is not allowed. Do not accept it.")
)
