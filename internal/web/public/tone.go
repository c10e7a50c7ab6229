package public

import (
	"encoding/base64"
	"html/template"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/signer/validation"
)

// funcs are the functions of this site's templates.
var funcs = template.FuncMap{"headline": func(r *verify.Report, checked bool) verify.Conclusion { return r.Conclude(checked) }, "tone": tone, "mark": mark, "day": day, "word": verify.Word, "grade": grade, "together": verify.Together, "changed": changed, "anchor": anchorOf, "inline": inline, "sentence": sentence, "agencyOf": agencyOf, "sharedHeadline": sharedHeadline}

// sharedHeadline is what a sharing link's page says first: there the file that was checked is
// the stored one and not one the visitor holds.
func sharedHeadline(r *verify.Report, checked bool) verify.Conclusion {
	c := r.Conclude(checked)
	agency := agencyOf(r)
	switch c.Key {
	case "good_erased": // erased since we looked
		c.Key = "erased"
	case "good", "erased", "annulled", "void":
	case "ours_open", "ours_failed":
		return c
	default: // the store holds something else than what was registered
		c.Key, c.Tone = "unknown", verify.Red
	}
	w := sharedWords[c.Key]
	c.Says = certcopy.Msg(strings.ReplaceAll(w.says.VI, "%s", agency), strings.ReplaceAll(w.says.EN, "%s", agency))
	c.Next = w.next
	return c
}

// sharedWords are the sentences of a sharing link's page; %s is the agency.
var sharedWords = map[string]struct{ says, next certcopy.Message }{
	"good": {certcopy.Msg("Bản sao chứng thực điện tử do %s cấp, đang có giá trị.", "An electronic certified copy issued by %s, and valid."),
		certcopy.Msg("Tệp dưới đây lấy trực tiếp từ kho của cơ quan cấp; chữ ký vừa được kiểm tra và tệp trùng với bản đã ghi sổ. Tệp bạn nhận bằng đường khác thì chưa được kiểm tra ở đây.",
			"The file below comes straight from the issuing agency's store; its signatures were checked and it is the registered file. A file you got another way was not checked here.")},
	"annulled": {certcopy.Msg("Bản sao do %s cấp đã bị HỦY BỎ GIÁ TRỊ PHÁP LÝ.", "The copy issued by %s was declared WITHOUT LEGAL VALUE."),
		certcopy.Msg("Không chấp nhận bản sao này.",
			"Do not accept this copy.")},
	"void": {certcopy.Msg("Số chứng thực này của %s chưa từng được phát hành.", "This certificate number of %s was never issued."),
		certcopy.Msg("Không chấp nhận.",
			"Do not accept it.")},
	"erased": {certcopy.Msg("Bản sao do %s cấp; tệp lưu đã được xóa.", "A copy issued by %s; its stored file was erased."),
		certcopy.Msg("Thông tin trong sổ vẫn còn bên dưới.",
			"What the register says remains below.")},
	"unknown": {certcopy.Msg("Bản sao này không có trong sổ.", "This copy is not in the register."),
		certcopy.Msg("Không chấp nhận.",
			"Do not accept it.")},
}

// tone is the colour of one verdict. Nothing is green while no file was compared, nor on a
// page whose headline is bad.
func tone(value any, checked bool) string {
	switch value {
	case validation.Intact, validation.Trusted, verify.Valid:
		if checked {
			return "ok"
		}
		return ""
	case validation.Modified, validation.Broken, validation.Untrusted, verify.Annulled, verify.Void:
		return "bad"
	}
	return "warn"
}

// mark is the sign before a check.
func mark(r validation.Result) string {
	switch r {
	case validation.Passed:
		return "✓"
	case validation.Failed:
		return "✗"
	}
	return "–"
}

// day writes an ISO day as people do: 22/11/2026.
func day(v string) string {
	t, err := time.ParseInLocation(time.DateOnly, v, certcopy.Vietnam)
	if err != nil {
		return v
	}
	return t.Format("02/01/2006")
}

// sentence is what a check says.
func sentence(c validation.Check) certcopy.Message { return certcopy.Msg(c.VI, c.EN) }

// agencyOf names the agency of the copy, if there is one.
func agencyOf(r *verify.Report) string {
	if r.Copy == nil {
		return "–"
	}
	return r.Copy.Agency
}

// grade is the colour of the badge of one signature.
func grade(i validation.Indication) string {
	switch i {
	case validation.TotalPassed:
		return "idle" // green is for the whole
	case validation.TotalFailed:
		return "bad"
	}
	return "warn"
}

// changed are the changes after a signature, in both languages.
func changed(s validation.Signature) []certcopy.Message {
	words := make([]certcopy.Message, len(s.Changes))
	for i, en := range s.Changes {
		words[i] = certcopy.Msg(en, en)
		if i < len(s.ChangesVI) {
			words[i].VI = s.ChangesVI[i]
		}
	}
	return words
}

// anchorOf names the trust anchor of a signature; nil if there is none.
func anchorOf(s validation.Signature) *certcopy.Message {
	if s.Anchor == "" {
		return nil
	}
	m := certcopy.Msg(s.Anchor, s.Anchor)
	if s.AnchorEN != "" {
		m.EN = s.AnchorEN
	}
	return &m
}

// inline is a picture as an address that holds it: what was drawn of a stranger's file is not
// kept, so there is no address to fetch it from.
func inline(p picture.Picture) template.URL {
	return template.URL("data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(p.JPEG)) //nolint:gosec // base64 of our own JPEG
}
