package stamp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp/typeface"
)

// Template is the wording of a stamp from a date on. Texts may hold fields in braces: number,
// book ("01/2026 - SCT/BS"), volume, year, day, month, place, agency, official, title, code,
// url. A copy keeps the wording of its day; a new form of the law is a new Template.
type Template struct {
	Name string    `json:"name"` // the act it follows
	From time.Time `json:"from"` // first day it is used: midnight UTC of that calendar day
	// Heading and Lines are the statement, set centred, one paragraph each.
	Heading string   `json:"heading"`
	Lines   []string `json:"lines"`
	// Signer stands over the official's title.
	Signer string `json:"signer"`
	// Letterhead stands over the QR code, CodeLine under it.
	Letterhead string `json:"letterhead"`
	CodeLine   string `json:"code_line"`
	// ConversionMark confirms the conversion from paper (Luật Giao dịch điện tử 2023 Điều 12).
	ConversionMark string `json:"conversion_mark"`
	// OwnPage puts the statement on a page of its own even where the last page has room.
	OwnPage bool `json:"own_page,omitempty"`
	// BodySize is the size of the statement in points, 12 to 14 (NĐ 30/2020 Phụ lục I); 0 is 13.
	// The heading is one point larger.
	BodySize float64 `json:"body_size,omitempty"`
}

// ErrTemplate: a template cannot be used; the error says why.
var ErrTemplate = errors.New("template of the statement")

// Statutory returns the built-in templates, oldest first: Mẫu số 01, lời chứng chứng thực bản
// sao từ bản chính (NĐ 23/2015, annex as replaced by NĐ 280/2025 from 1 November 2025).
func Statutory() []Template {
	return []Template{{
		Name:    "NĐ 280/2025, Mẫu số 01",
		From:    time.Date(2025, time.November, 1, 0, 0, 0, 0, time.UTC),
		Heading: "Chứng thực bản sao đúng với bản chính",
		Lines: []string{
			"Số chứng thực {number} quyển số {book}",
			"Ngày {day} tháng {month} năm {year}",
		},
		Signer:         "Người thực hiện chứng thực",
		Letterhead:     "{agency}",
		CodeLine:       "Mã tra cứu: {code}",
		ConversionMark: "Bản điện tử chuyển đổi từ bản chính giấy. Cơ quan chuyển đổi: {agency}. Tra cứu: {url} - Mã: {code}",
	}}
}

// ReadTemplate reads the JSON of a Template and validates it. A member that is not known, which a
// newer program may have written, is an error: half a wording must not be printed.
func ReadTemplate(b []byte) (Template, error) {
	var t Template
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return Template{}, badTemplate("không đọc được mẫu: "+err.Error(), "it cannot be read: "+err.Error())
	}
	return t, t.Validate()
}

// TemplateAt returns the newest template whose day is not after the given one. Without one
// the error wraps ErrTemplate.
func TemplateAt(templates []Template, day time.Time) (Template, error) {
	var best Template
	for _, t := range templates {
		if !t.From.After(day) && (best.isZero() || t.From.After(best.From)) {
			best = t
		}
	}
	if best.isZero() {
		return Template{}, badTemplate("chưa có mẫu nào có hiệu lực ngày "+day.Format("02/01/2006"), "none is in force on "+day.Format(time.DateOnly))
	}
	return best, nil
}

func (t Template) isZero() bool { return t.Heading == "" && len(t.Lines) == 0 }

const (
	maxTemplateLines = 6
	maxTemplateRunes = 300
	minBodySize      = 12.0
	maxBodySize      = 14.0
)

// Validate checks that the statement names number, book and date exactly once, that the
// conversion mark names agency and code, that no field is unknown and no text too long, and
// that every character can be printed. Errors wrap ErrTemplate.
func (t Template) Validate() error {
	if len(t.Lines) == 0 || len(t.Lines) > maxTemplateLines {
		return badTemplate(fmt.Sprintf("lời chứng có %d dòng, phải từ 1 đến %d", len(t.Lines), maxTemplateLines),
			fmt.Sprintf("the statement has %d lines, want 1 to %d", len(t.Lines), maxTemplateLines))
	}
	if t.BodySize != 0 && (t.BodySize < minBodySize || t.BodySize > maxBodySize) {
		return badTemplate(fmt.Sprintf("cỡ chữ %g, phải từ %g đến %g", t.BodySize, minBodySize, maxBodySize),
			fmt.Sprintf("a size of %g points, want %g to %g", t.BodySize, minBodySize, maxBodySize))
	}
	face, err := typeface.Tinos(typeface.Regular) // all styles have the same characters
	if err != nil {
		return err
	}
	for _, text := range t.texts() {
		if utf8.RuneCountInString(text) > maxTemplateRunes {
			return badTemplate(fmt.Sprintf("có đoạn dài quá %d ký tự", maxTemplateRunes), fmt.Sprintf("a text has more than %d characters", maxTemplateRunes))
		}
		if strings.TrimSpace(text) == "" {
			return badTemplate("có đoạn để trống", "a text is empty")
		}
		if _, err := expand(text, emptyValues); err != nil {
			return err
		}
		if _, err := face.Shape(text); err != nil {
			return badTemplate("phông chữ không có một ký tự: "+err.Error(), "the font lacks a character: "+err.Error())
		}
	}
	return t.checkFields()
}

func (t Template) texts() []string {
	return append(slices.Clone(t.Lines), t.Heading, t.Signer, t.Letterhead, t.CodeLine, t.ConversionMark)
}

// checkFields looks for the fields that the law wants to see.
func (t Template) checkFields() error {
	statement := strings.Join(t.Lines, "\n")
	book := []string{"{book}"}
	if !strings.Contains(statement, "{book}") {
		book = []string{"{volume}"}
	}
	for _, field := range append(book, "{number}", "{day}", "{month}") {
		if n := strings.Count(statement, field); n != 1 {
			return badTemplate(fmt.Sprintf("lời chứng phải có %s đúng một lần, nay có %d lần", field, n), fmt.Sprintf("the statement has %d times %s, want once", n, field))
		}
	}
	if !strings.Contains(statement, "{year}") {
		return badTemplate("lời chứng thiếu {year}", "the statement has no {year}")
	}
	for _, field := range []string{"{agency}", "{code}"} {
		if !strings.Contains(t.ConversionMark, field) {
			return badTemplate("xác nhận chuyển đổi thiếu "+field, "the conversion mark has no "+field)
		}
	}
	return nil
}

func badTemplate(vi, en string) error {
	return certcopy.Errorf(certcopy.Invalid, fieldTemplate.subject, fmt.Errorf("%w: %s", ErrTemplate, en), certcopy.Msg(
		"Mẫu lời chứng không dùng được: "+vi+". Quản trị viên hãy sửa mẫu.",
		"The template of the statement cannot be used: "+en+". An administrator should correct it."))
}

// values are the fields of one copy.
type values map[string]string

var emptyValues = values{"number": "", "book": "", "volume": "", "year": "", "day": "", "month": "",
	"place": "", "agency": "", "official": "", "title": "", "code": "", "url": ""}

func (f Facts) values() values {
	_, address, found := strings.Cut(f.VerifyURL, "://")
	if !found {
		address = f.VerifyURL
	}
	n := f.Number
	v := values{
		"number": fmt.Sprint(n.Seq), "book": n.BookReference(), "volume": fmt.Sprintf("%02d", n.Volume),
		"year": fmt.Sprint(n.Year), "day": fmt.Sprintf("%02d", n.Date.Day()), "month": statutoryMonth(n.Date.Month()),
		"place": f.Agency.Place, "agency": f.Agency.Name, "official": f.Official.Name,
		"title": f.Official.Title, "code": f.Code, "url": address,
	}
	if n.IsZero() {
		v["number"], v["book"], v["volume"] = blank, blank+" - "+string(n.Book), blank
		v["day"], v["month"], v["year"] = blank, blank, blank
	}
	return v
}

// blank is what a preview shows where the number and the date will be.
const blank = "........"

// statutoryMonth writes January and February with a leading zero, later months as they are
// (NĐ 30/2020 Phụ lục I).
func statutoryMonth(m time.Month) string {
	if m <= time.February {
		return fmt.Sprintf("%02d", int(m))
	}
	return fmt.Sprint(int(m))
}

// expand replaces the fields of a text. A brace that belongs to no known field is an error.
func expand(text string, v values) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		if strings.Contains(before, "}") {
			return "", badTemplate("có dấu } mà không có dấu {", "a brace is closed that was not opened")
		}
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := v[name]
		if !closed || !known {
			return "", badTemplate(fmt.Sprintf("không có chỗ điền tên {%.20s}", name), fmt.Sprintf("there is no field {%.20s}", name))
		}
		out.WriteString(value)
		text = after
	}
}
