package verify

import (
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/validation"
)

// Tone is how a conclusion is coloured. Only what is good in every respect is green.
type Tone string

// The tones.
const (
	Green  Tone = "ok"
	Yellow Tone = "warn"
	Red    Tone = "bad"
)

// Conclusion is what a report comes to, in words for people.
type Conclusion struct {
	// Key names it: "good", "pretends".
	Key  string `json:"key"`
	Tone Tone   `json:"tone"`
	// Says is the one sentence, Next what it means for who holds the file.
	Says certcopy.Message `json:"says"`
	Next certcopy.Message `json:"next"`
}

// Conclude draws the conclusion of a report. compared says that a file, or its digest, was
// compared: without, nothing is ever green.
func (r *Report) Conclude(compared bool) Conclusion {
	key, tone := r.conclusion(compared)
	w := words[key]
	agency := "–"
	if r.Copy != nil {
		agency = r.Copy.Agency
	}
	fill := func(m certcopy.Message) certcopy.Message {
		return certcopy.Msg(strings.ReplaceAll(m.VI, "%s", agency), strings.ReplaceAll(m.EN, "%s", agency))
	}
	return Conclusion{Key: key, Tone: tone, Says: fill(w.says), Next: fill(w.next)}
}

func (r *Report) conclusion(compared bool) (key string, tone Tone) {
	switch {
	case compared && r.Origin == Result:
		return r.resultConclusion()
	case compared && r.Origin == Pretends && r.Copy == nil:
		return "pretends_unknown", Red
	case compared && r.Origin == Pretends:
		return "pretends", Red
	case compared && r.Origin == Altered:
		return "altered", Red
	case compared && r.Origin == Another:
		return "another", Red
	case r.Status == Annulled:
		return "annulled", Red
	case r.Status == Void:
		return "void", Red
	case !compared && r.Status == Erased:
		return "erased", Yellow
	case !compared:
		return "unchecked", Yellow
	}
	return r.fileConclusion()
}

// resultConclusion is that of a result of ours: never green, for it certifies nothing.
func (r *Report) resultConclusion() (key string, tone Tone) {
	if r.Integrity != validation.Intact || r.Indication == validation.TotalFailed {
		return "result_altered", Red
	}
	return "result", Yellow
}

// fileConclusion is that of a file that was compared and is not declared invalid.
func (r *Report) fileConclusion() (key string, tone Tone) {
	ours := r.Origin == AsIssued || r.Origin == Extended
	byDigest := len(r.Signatures) == 0 && r.SubIndication == validation.SignedDataNotFound
	switch {
	case r.Good() && r.Origin == Extended:
		return "good_extended", Green
	case r.Good():
		return "good", Green
	case ours && byDigest && r.Status == Valid:
		return "good_digest", Green
	case ours && r.Status == Erased && (byDigest || r.Indication == validation.TotalPassed):
		return "good_erased", Yellow
	case ours && r.Indication == validation.Indeterminate:
		return "ours_open", Yellow
	case ours:
		return "ours_failed", Red
	case byDigest:
		return "unknown_digest", Red
	case r.Indication == validation.NoSignature:
		return "no_signature", Red
	case r.Indication == validation.TotalPassed:
		return "stranger_passed", Yellow
	case r.Indication == validation.Indeterminate:
		return "stranger_open", Yellow
	}
	return "stranger_failed", Red
}

// words are the conclusions by key; %s is the agency.
var words = map[string]struct{ says, next certcopy.Message }{
	"unchecked": {certcopy.Msg("Mã này do %s cấp. Trang này CHƯA kiểm tra tệp bạn đang cầm.",
		"This code was issued by %s. This page has NOT checked the file you hold."),
		certcopy.Msg("Mã thật vẫn có thể được in lên một tệp giả. Hãy chọn tệp ở ngay bên dưới để so sánh.",
			"A genuine code can be printed on a forged file. Choose the file just below to compare it.")},
	"annulled": {certcopy.Msg("Bản sao do %s cấp đã bị HỦY BỎ GIÁ TRỊ PHÁP LÝ.",
		"The copy issued by %s was declared WITHOUT LEGAL VALUE."),
		certcopy.Msg("Không chấp nhận bản sao này.",
			"Do not accept this copy.")},
	"void": {certcopy.Msg("Số chứng thực này của %s chưa từng được phát hành.",
		"This certificate number of %s was never issued."),
		certcopy.Msg("Không có bản sao hợp lệ nào mang mã này. Không chấp nhận giấy tờ mang mã này.",
			"There is no valid copy with this code. Do not accept a paper that bears it.")},
	"erased": {certcopy.Msg("Mã này do %s cấp. Trang này CHƯA kiểm tra tệp bạn đang cầm.",
		"This code was issued by %s. This page has NOT checked the file you hold."),
		certcopy.Msg("Tệp lưu tại cơ quan đã được xóa theo quy định về dữ liệu cá nhân; tệp bạn giữ vẫn so sánh được ở bên dưới.",
			"The agency's stored file was erased under the rules on personal data; the file you hold can still be compared below.")},
	"good": {certcopy.Msg("Tệp này đúng là bản sao do %s cấp, đang có giá trị.",
		"This file is the copy issued by %s, and it is valid."),
		certcopy.Msg("Chữ ký đã được kiểm tra và từng bit của tệp trùng với bản đã ghi sổ. Hãy xem các thông tin bên dưới có đúng việc của bạn không.",
			"Its signatures were checked and every bit of it is as registered. See whether the facts below are those of your matter.")},
	"good_extended": {certcopy.Msg("Tệp này là bản sao do %s cấp, đang có giá trị.",
		"This file is the copy issued by %s, and valid."),
		certcopy.Msg("Tệp bắt đầu bằng bản đã ghi sổ; phần thêm phía sau chỉ là dữ liệu kiểm tra và dấu thời gian. Chữ ký đã được kiểm tra.",
			"It begins with the registered copy; what follows is only validation data and time-stamps. Its signatures were checked.")},
	"good_digest": {certcopy.Msg("Mã SHA-256 này là của bản sao do %s cấp, đang có giá trị.",
		"This SHA-256 is that of the copy issued by %s, and valid."),
		certcopy.Msg("Tệp có đúng mã này trùng từng bit với bản đã ghi sổ. Chữ ký trong tệp chưa được kiểm tra lại ở đây.",
			"A file of exactly this SHA-256 is the registered one, bit for bit. The signatures in it were not checked again here.")},
	"good_erased": {certcopy.Msg("Tệp này đúng là bản sao do %s cấp.",
		"This file is the copy issued by %s."),
		certcopy.Msg("Tệp lưu tại cơ quan đã được xóa theo quy định về dữ liệu cá nhân.",
			"The agency's stored file was erased under the rules on personal data.")},
	"ours_open": {certcopy.Msg("Tệp này là bản sao do %s cấp, nhưng chữ ký chưa kiểm tra xong.",
		"This file is the copy issued by %s, but its signatures could not be fully checked."),
		certcopy.Msg("Xem chi tiết bên dưới; có thể thử lại sau.",
			"See the details below; it may be tried again later.")},
	"ours_failed": {certcopy.Msg("Tệp này có trong sổ của %s nhưng KHÔNG đạt kiểm tra chữ ký.",
		"This file stands in the register of %s but does NOT pass the check of its signatures."),
		certcopy.Msg("Không nên chấp nhận; hãy báo cho cơ quan cấp.",
			"Do not accept it; tell the issuing agency.")},
	"pretends": {certcopy.Msg("Tệp này mang mã xác minh của hệ thống (%s) nhưng KHÔNG phải là tệp đã được cấp.",
		"This file bears a verification code of this system (%s) but is NOT the file that was issued."),
		certcopy.Msg("Nội dung có thể đã bị sửa hoặc làm giả. Không chấp nhận tệp này.",
			"Its content may be altered or forged. Do not accept this file.")},
	"altered": {certcopy.Msg("Tệp này bắt đầu bằng bản sao của %s nhưng ĐÃ BỊ THÊM nội dung không được phép.",
		"This file begins with the copy of %s but something NOT ALLOWED WAS ADDED."),
		certcopy.Msg("Không chấp nhận tệp này.",
			"Do not accept this file.")},
	"another": {certcopy.Msg("Tệp này KHÔNG phải là bản sao do %s cấp dưới mã này.",
		"This file is NOT the copy issued by %s under this code."),
		certcopy.Msg("Mã là thật nhưng tệp không phải bản đã cấp: có thể là bản chụp lại, bản in ra PDF, hoặc bản giả. Không chấp nhận tệp này.",
			"The code is genuine but the file is not what was issued: a picture, a print to PDF, or a forgery. Do not accept this file.")},
	"unknown_digest": {certcopy.Msg("Không có tệp này trong sổ.",
		"This file is not in the register."),
		certcopy.Msg("Nếu tệp mang mã của hệ thống này thì đó không phải là bản đã cấp. Chữ ký của tệp chưa được kiểm tra.",
			"If it bears a code of this system it is not what was issued. Its signatures were not checked.")},
	"no_signature": {certcopy.Msg("Tệp này không có chữ ký số và không có trong sổ.",
		"This file has no digital signature and is not in the register."),
		certcopy.Msg("Ảnh con dấu hay chữ ký trong tệp không chứng minh điều gì.",
			"Pictures of seals or signatures in it prove nothing.")},
	"stranger_passed": {certcopy.Msg("Chữ ký số hợp lệ, nhưng tệp này không phải do hệ thống này cấp.",
		"The digital signatures are valid, but this file was not issued by this system."),
		certcopy.Msg("Hãy xem ai đã ký ở phần chi tiết.",
			"See who signed in the details.")},
	"stranger_open": {certcopy.Msg("Chưa kết luận được về chữ ký; tệp không có trong sổ.",
		"Nothing final can be said of the signatures; the file is not in the register."),
		certcopy.Msg("Xem chi tiết bên dưới.",
			"See the details below.")},
	"stranger_failed": {certcopy.Msg("Tệp này KHÔNG đạt kiểm tra chữ ký và không có trong sổ.",
		"This file does NOT pass the check of its signatures and is not in the register."),
		certcopy.Msg("Không chấp nhận tệp này.",
			"Do not accept this file.")},
	"pretends_unknown": {certcopy.Msg("Tệp này mang mã xác minh theo mẫu của hệ thống nhưng sổ KHÔNG có mã đó.", "This file bears a verification code in our form, but the register does NOT know it."),
		certcopy.Msg("Không chấp nhận tệp này.", "Do not accept this file.")},
	"result": {certcopy.Msg("Đây là một KẾT QUẢ KIỂM TRA do hệ thống này lập, không phải bản sao chứng thực.", "This is a VERIFICATION RESULT made by this system, not a certified copy."),
		certcopy.Msg("Chữ ký của nó còn nguyên. Nó chỉ nói về tệp có mã SHA-256 ghi trong đó; hãy kiểm tra chính tệp ấy.", "Its signature is intact. It speaks only of the file whose SHA-256 it names; check that file itself.")},
	"result_altered": {certcopy.Msg("Đây là một kết quả kiểm tra của hệ thống này nhưng ĐÃ BỊ SỬA ĐỔI sau khi ký.", "This was a verification result of this system but was CHANGED after it was signed."),
		certcopy.Msg("Không tin nội dung của nó.", "Do not believe what it says.")},
}
