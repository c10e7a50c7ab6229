package stamp

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
)

// Facts are what a stamp says. The images may be nil: then their place stays blank.
type Facts struct {
	Agency   certcopy.Agency
	Number   certcopy.Number // its Date is the day of certification
	Official certcopy.Official
	// Title is the original's free-text title. It goes into the file's metadata, not on the page.
	Title string
	// Code is the verification code in any form that link.ParseCode reads; printed in groups.
	Code string
	// VerifyURL is the address in the QR, printed without its scheme.
	VerifyURL string
	// Signature is a PNG of the official's signature, Seal of the agency's seal; see
	// CheckSignature and CheckSeal.
	Signature, Seal []byte
	// Template is the wording; the zero Template means the statutory one of the number's date.
	Template Template
	// Demonstration marks every page as without legal value, as does Agency.Demonstration.
	Demonstration bool
}

const maxURLBytes = 200

// prepared returns the facts with everything filled in and checked that does not need a font.
func (f Facts) prepared() (Facts, error) {
	f.Demonstration = f.Demonstration || f.Agency.Demonstration
	if f.Template.isZero() {
		t, err := TemplateAt(Statutory(), f.Number.Date)
		if err != nil {
			return f, err
		}
		f.Template = t
	}
	if err := f.Template.Validate(); err != nil {
		return f, err
	}
	code, err := link.ParseCode(f.Code)
	if err != nil {
		return f, err
	}
	f.Code = code.Grouped()
	return f, f.checkTexts()
}

func (f Facts) checkTexts() error {
	for _, t := range []struct {
		name     fieldName
		text     string
		max      int
		optional bool
	}{
		{fieldAgency, f.Agency.Name, certcopy.MaxNameRunes, false},
		{fieldAgencyCode, f.Agency.Code, certcopy.MaxNameRunes, true},
		{fieldOfficial, f.Official.Name, certcopy.MaxNameRunes, false},
		{fieldOfficialTitle, f.Official.Title, certcopy.MaxNameRunes, true},
		{fieldTitle, f.Title, certcopy.MaxTitleRunes, true},
		{fieldURL, f.VerifyURL, maxURLBytes, false},
		{fieldBook, string(f.Number.Book), certcopy.MaxNameRunes, false},
	} {
		if err := checkText(t.name, t.text, t.max, t.optional); err != nil {
			return err
		}
	}
	return nil
}

func checkText(name fieldName, text string, maxRunes int, optional bool) error {
	switch {
	case strings.TrimSpace(text) == "" && !optional:
		return certcopy.Errorf(certcopy.Invalid, name.subject, nil, certcopy.Msg(
			fmt.Sprintf("Thiếu %s. Hãy bổ sung rồi thử lại.", name.vi),
			fmt.Sprintf("The %s is missing. Fill it in and try again.", name.en)))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unprintable):
		return certcopy.Errorf(certcopy.Invalid, name.subject, nil, certcopy.Msg(
			fmt.Sprintf("Có ký tự không in được trong %s. Hãy gõ lại.", name.vi),
			fmt.Sprintf("The %s has a character that cannot be printed. Type it again.", name.en)))
	case utf8.RuneCountInString(text) > maxRunes:
		return tooLong(name)
	}
	return nil
}

// unprintable allows the line break, which separates the lines of an official's title.
func unprintable(r rune) bool {
	return r != '\n' && unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF'
}

// fieldName names a fact for people and, as subject, for machines.
type fieldName struct{ subject, vi, en string }

var (
	fieldAgency        = fieldName{"agency.name", "tên cơ quan", "agency's name"}
	fieldAgencyCode    = fieldName{"agency.code", "mã cơ quan", "agency's code"}
	fieldOfficial      = fieldName{"official.name", "họ tên người ký", "official's name"}
	fieldOfficialTitle = fieldName{"official.title", "chức danh người ký", "official's title"}
	fieldTitle         = fieldName{"original.title", "tên bản chính", "original's title"}
	fieldURL           = fieldName{"verify_url", "địa chỉ tra cứu", "verification address"}
	fieldBook          = fieldName{"number.book", "ký hiệu sổ", "book code"}
	fieldNumber        = fieldName{"number", "số chứng thực", "certificate number"}
	fieldTemplate      = fieldName{"template", "mẫu lời chứng", "template of the statement"}
	fieldSignature     = fieldName{"signature.png", "ảnh chữ ký", "signature image"}
	fieldSeal          = fieldName{"seal.png", "ảnh con dấu", "seal image"}
)

func tooLong(name fieldName) error {
	return certcopy.Errorf(certcopy.Invalid, name.subject, ErrTooLong, certcopy.Msg(
		fmt.Sprintf("Không đủ chỗ cho %s. Hãy viết gọn lại.", name.vi),
		fmt.Sprintf("There is no room for the %s. Make it shorter.", name.en)))
}

// checkNumber refuses a number that no book can hold.
func checkNumber(n certcopy.Number) error {
	if n.Seq > 0 && n.Volume > 0 && n.Year == n.Date.Year() && n.Date.Equal(n.Date.Truncate(24*time.Hour)) {
		return nil
	}
	return certcopy.Errorf(certcopy.Invalid, fieldNumber.subject, nil, certcopy.Msg(
		"Số chứng thực, quyển số hoặc ngày không hợp lệ. Hãy báo quản trị viên.",
		"The certificate number, volume or date is not valid. Tell the administrator."))
}

// widest returns the facts with the widest number a book can give: digits all have one width.
func (f Facts) widest(day time.Time) Facts {
	if !f.Number.Date.IsZero() {
		day = f.Number.Date
	}
	f.Number.Seq, f.Number.Volume, f.Number.Year, f.Number.Date = 9_999_999, 999, day.Year(), day
	if f.Number.Book == "" {
		f.Number.Book = f.Agency.Book
	}
	if f.Number.Book == "" {
		f.Number.Book = certcopy.DefaultBook
	}
	return f
}
