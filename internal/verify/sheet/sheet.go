// Package sheet sets the report on a file as a document that people print, file and hold:
// "Kết quả kiểm tra chữ ký số", PDF/A-2b, Vietnamese first and English beside it.
//
// It says of which bytes it speaks (name, SHA-256, length), the conclusion, the three
// verdicts, every signature with its time and checks, the trust anchors used, and shows what
// changed before and after. Every picture of the examined file bears a mark across it, for a
// report that shows a forged page must not become one. It is a pure function: no clock, no
// network, no key; who signs the result does that afterwards, in field verify.ResultField.
package sheet

import (
	"io"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/internal/stamp/typeface"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
)

// Title of the document in both languages.
const (
	Title   = "Kết quả kiểm tra chữ ký số"
	TitleEN = "Result of the verification of digital signatures"
)

// mark stands across every picture of the examined file.
const mark = "TỆP ĐƯỢC KIỂM TRA – EXAMINED FILE"

// Options are what the sheet says beside the report.
type Options struct {
	// At is when the check was made.
	At time.Time
	// Service is who made it: the address of the service.
	Service string
	// Anchors are the trust anchors that the check knew.
	Anchors []Anchor
	// Demonstration marks a result that has no legal value.
	Demonstration bool
}

// Anchor is a trust anchor as the sheet names it.
type Anchor struct {
	Name, Fingerprint string
	// From and Until bound when it is trusted; zero is open.
	From, Until time.Time
}

// Write sets the report and the pictures, which may be nil, as a PDF. The same input gives the
// same bytes. Characters that the type does not have are replaced by question marks. Errors
// are those of w.
func Write(w io.Writer, r *verify.Report, look *picture.Look, o Options) error {
	paper, err := stamp.NewPaper(w, Title, o.Service)
	if err != nil {
		return err
	}
	f, err := newFlow(paper)
	if err != nil {
		return err
	}
	if look == nil {
		look = &picture.Look{}
	}
	s := &sheet{flow: f, report: r, look: look, options: o}
	for _, part := range []func(){s.head, s.file, s.verdicts, s.register, s.timeline, s.signatures, s.checks, s.changes, s.pages, s.anchors, s.end} {
		part()
	}
	f.footers(Title + " · SHA-256 " + r.SHA256)
	return paper.Close()
}

// sheet is one document being set.
type sheet struct {
	*flow
	report  *verify.Report
	look    *picture.Look
	options Options
}

// head says what the document is, who made it, and the conclusion.
func (s *sheet) head() {
	s.centred("H1", style{typeface.Bold, 17, black}, Title)
	s.centred("P", style{typeface.Italic, 11, grey}, TitleEN)
	s.gap(4)
	s.centred("P", style{typeface.Regular, 10, black}, "Lập bởi / made by: "+s.options.Service+" · "+moment(s.options.At))
	if s.options.Demonstration {
		s.centred("P", style{typeface.Bold, 10, red}, "BẢN TRÌNH DIỄN, KHÔNG CÓ GIÁ TRỊ PHÁP LÝ / DEMONSTRATION, NO LEGAL VALUE")
	}
	s.centred("P", style{typeface.Italic, 9, grey}, "Văn bản này không phải bản sao chứng thực; nó chỉ nói về tệp có mã SHA-256 dưới đây. / Not a certified copy; it speaks only of the file with the SHA-256 below.")
	s.gap(8)
	c := s.report.Conclude(true)
	colour := toneColours[c.Tone]
	s.boxed(colour, func() {
		s.text("H2", style{typeface.Bold, 13, colour}, c.Says.VI)
		s.text("P", style{typeface.Italic, 10, grey}, c.Says.EN)
		s.text("P", style{typeface.Regular, 11, black}, c.Next.VI)
		s.text("P", style{typeface.Italic, 9, grey}, c.Next.EN)
	})
}

func (s *sheet) file() {
	s.heading("Tệp được kiểm tra", "The examined file", 30)
	name := s.report.File
	if name == "" {
		name = "(không có tên / no name)"
	}
	s.fact("Tên tệp / name", name)
	s.fact("SHA-256", s.report.SHA256)
	s.fact("Độ dài / length", grouped(s.report.Size)+" byte")
	if s.look.Pages > 0 {
		s.fact("Số trang / pages", grouped(int64(s.look.Pages)))
	}
}

func (s *sheet) verdicts() {
	r := s.report
	s.heading("Kết luận", "Verdicts", 30)
	s.verdict("Toàn vẹn: có đúng là những gì đã ký không?", "Integrity", r.Integrity)
	s.verdict("Tình trạng: cơ quan cấp còn công nhận không?", "Status", r.Status)
	s.verdict("Người ký: ai ký, có đáng tin không?", "Signers", r.Issuer)
	s.fact("ETSI EN 319 102-1", indication(string(r.Indication), string(r.SubIndication)))
}

func (s *sheet) verdict(question, questionEN string, value any) {
	w, colour := verify.Word(value), verdictColour(value)
	if colour == green && s.report.Conclude(true).Tone == verify.Red {
		colour = black // nothing is green where the whole is bad
	}
	s.text("P", style{typeface.Regular, 11, black}, question)
	s.within(14, func() {
		s.text("P", style{typeface.Bold, 11, colour}, w.VI+" / "+questionEN+": "+w.EN)
	})
}

// register says what the register knows of the copy; of another's code, that it is not this.
func (s *sheet) register() {
	c := s.report.Copy
	if c == nil {
		return
	}
	if s.report.Origin == verify.Pretends || s.report.Origin == verify.Another {
		s.heading("Bản sao thật của mã đó (không phải tệp này)", "The genuine copy of that code (not this file)", 30)
	} else {
		s.heading("Thông tin trong sổ chứng thực", "What the register says", 30)
	}
	s.fact("Cơ quan / agency", c.Agency+", "+c.Province)
	s.fact("Số chứng thực / number", grouped(c.Number)+", quyển số "+c.BookReference)
	s.fact("Ngày / date", day(c.Date))
	s.fact("Người chứng thực / official", c.Official+" – "+c.OfficialTitle)
	s.fact("Loại giấy tờ / type", c.DocumentName.VI+" / "+c.DocumentName.EN)
	s.fact("SHA-256", c.SHA256)
	s.fact("Ghi sổ / registered", moment(c.RegisteredAt))
	if c.DecisionNumber != "" {
		s.fact("Hủy bỏ / annulled", "Quyết định số "+c.DecisionNumber+", "+day(c.DecisionDate))
	}
}

func (s *sheet) timeline() {
	events := s.report.Timeline()
	if len(events) == 0 {
		return
	}
	s.heading("Dòng thời gian", "Time line", 30)
	for _, e := range events {
		what := e.What.VI + " / " + e.What.EN
		if !e.Proven {
			what += " (tự khai / claimed)"
		}
		if e.Who != "" {
			what += ": " + e.Who
		}
		s.fact(moment(e.At), what)
	}
}

// end closes the text with how to check the document itself.
func (s *sheet) end() {
	s.gap(10)
	s.text("P", style{typeface.Italic, 9, grey}, "Văn bản này được ký số bởi dịch vụ kiểm tra, bằng khóa chỉ dùng cho kết quả kiểm tra; khóa đó không dùng để chứng thực bản sao. Tệp đã gửi không được lưu lại.")
	s.text("P", style{typeface.Italic, 9, grey}, "Signed by the verification service with a key that is used for results only and certifies no copy. The file that was sent was not kept.")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(certcopy.Vietnam).Format("15:04:05 02/01/2006 (UTC-07)")
}

func day(iso string) string {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	return t.Format("02/01/2006")
}
