package sheet

import (
	"strconv"

	"github.com/saoy/saoy/internal/stamp/typeface"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/validation"
)

var toneColours = map[verify.Tone]colour{verify.Green: green, verify.Yellow: yellow, verify.Red: red}

// maxSignatures are set in full; a file with more says how many were left out.
const maxSignatures = 50

func verdictColour(value any) colour {
	switch value {
	case validation.ChangesAllowed:
		return black
	case validation.Intact, validation.Trusted, verify.Valid, validation.TotalPassed, validation.Passed, validation.ChangesNone:
		return green
	case validation.Modified, validation.Broken, validation.Untrusted, verify.Annulled, verify.Void, validation.TotalFailed, validation.Failed, validation.ChangesDisallowed:
		return red
	}
	return yellow
}

func (s *sheet) signatures() {
	if len(s.report.Signatures) == 0 {
		return
	}
	s.heading("Chữ ký và dấu thời gian", "Signatures and time-stamps", 120)
	for i, sig := range s.report.Signatures {
		if i == maxSignatures {
			s.text("P", style{typeface.Italic, 10, red}, "… và "+strconv.Itoa(len(s.report.Signatures)-i)+" chữ ký nữa / more signatures")
			return
		}
		s.signature(i+1, sig)
	}
}

func (s *sheet) signature(n int, sig validation.Signature) {
	s.need(110)
	kind := verify.Word(sig.Kind)
	s.gap(4)
	s.text("H3", style{typeface.Bold, 11.5, verdictColour(sig.Indication)},
		strconv.Itoa(n)+". "+kind.VI+" / "+kind.EN+" – "+sig.Field+": "+verify.Word(sig.Indication).VI)
	s.within(14, func() {
		if sig.Signer != "" {
			s.fact("Người ký / signer", sig.Signer)
		}
		w := verify.Word(sig.TimeSource)
		s.fact("Thời điểm / time", moment(sig.Time)+", "+w.VI+" / "+w.EN)
		s.fact("Mức / level", string(sig.Level)+" · "+sig.SubFilter+" · "+sig.Algorithm)
		s.fact("ETSI EN 319 102-1", indication(string(sig.Indication), string(sig.SubIndication)))
		if sig.Anchor != "" {
			s.fact("Gốc tin cậy / anchor", sig.Anchor)
		}
		w = verify.Word(sig.ChangesAfter)
		s.fact("Sau chữ ký / afterwards", w.VI+" / "+w.EN)
		for i, change := range sig.Changes {
			s.within(labelWidth, func() {
				s.text("P", style{typeface.Regular, 10, verdictColour(sig.ChangesAfter)}, "– "+inVietnamese(sig, i)+" / "+change)
			})
		}
		s.list(sig.Checks)
	})
}

// inVietnamese is the i-th change as the report words it in Vietnamese.
func inVietnamese(sig validation.Signature, i int) string {
	if i < len(sig.ChangesVI) {
		return sig.ChangesVI[i]
	}
	return sig.Changes[i]
}

// checks are those of the file as a whole, and its warnings.
func (s *sheet) checks() {
	if len(s.report.Checks)+len(s.report.Warnings) == 0 {
		return
	}
	s.heading("Kiểm tra cả tệp", "Checks of the file", 30)
	s.list(s.report.Checks)
	for _, w := range s.report.Warnings {
		s.text("P", style{typeface.Regular, 10, yellow}, "Lưu ý / note: "+w)
	}
}

// list sets checks, each as one sentence in both languages with its clause.
func (s *sheet) list(checks []validation.Check) {
	for _, c := range verify.Together(checks) {
		s.need(30)
		w := verify.Word(c.Result)
		s.text("P", style{typeface.Regular, 10, black}, w.VI+" – "+c.VI)
		s.within(12, func() { s.text("P", style{typeface.Italic, 8.5, grey}, w.EN+" – "+c.EN+" ["+c.Clause+"]") })
	}
}

// anchors are those the check knew; a signature names the one its path ends in.
func (s *sheet) anchors() {
	s.heading("Gốc tin cậy được dùng", "Trust anchors used", 30)
	if len(s.options.Anchors) == 0 {
		s.text("P", style{typeface.Regular, 10, yellow}, "Không có gốc tin cậy nào được cấu hình; không người ký nào được coi là tin cậy. / None is configured; no signer is trusted.")
	}
	for _, a := range s.options.Anchors {
		s.text("P", style{typeface.Regular, 10, black}, "– "+a.Name+period(a))
		s.within(8, func() { s.text("P", style{typeface.Regular, 8.5, grey}, "SHA-256 "+a.Fingerprint) })
	}
}

func period(a Anchor) string {
	const layout = "02/01/2006"
	switch {
	case a.From.IsZero() && a.Until.IsZero():
		return ""
	case a.Until.IsZero():
		return " (từ / from " + a.From.Format(layout) + ")"
	case a.From.IsZero():
		return " (đến / until " + a.Until.Format(layout) + ")"
	}
	return " (" + a.From.Format(layout) + " – " + a.Until.Format(layout) + ")"
}

func indication(main, sub string) string {
	if sub == "" {
		return main
	}
	return main + " / " + sub
}

// grouped writes 1.234.567.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "." + digits[i:]
	}
	return digits
}
