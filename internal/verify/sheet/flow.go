package sheet

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/internal/stamp/typeface"
)

// Measures in points: A4 with margins.
const (
	pageWidth, pageHeight = 595.276, 841.89
	margin                = 50.0
	bottom                = 56.0
	leading               = 1.28
	maxRunes              = 1000 // of one text; longer ones are cut
)

type colour = [3]float64

var (
	black  = colour{0, 0, 0}
	grey   = colour{0.36, 0.36, 0.36}
	pale   = colour{0.8, 0.8, 0.8}
	red    = colour{0.7, 0.05, 0.07}
	green  = colour{0.05, 0.4, 0.12}
	yellow = colour{0.55, 0.36, 0}
)

// style is how a text is set.
type style struct {
	face   typeface.Style
	size   float64
	colour colour
}

// flow sets texts one under the other, page after page.
type flow struct {
	paper       *stamp.Paper
	faces       [3]*typeface.Face
	pages       []*stamp.PaperPage
	page        *stamp.PaperPage
	y           float64 // of the top of what comes next
	left, right float64
}

func newFlow(paper *stamp.Paper) (*flow, error) {
	f := &flow{paper: paper, left: margin, right: pageWidth - margin}
	for _, s := range []typeface.Style{typeface.Regular, typeface.Bold, typeface.Italic} {
		face, err := typeface.Tinos(s)
		if err != nil {
			return nil, err
		}
		f.faces[s] = face
	}
	f.newPage()
	return f, nil
}

func (f *flow) newPage() {
	f.page = f.paper.Page(pageWidth, pageHeight)
	f.pages = append(f.pages, f.page)
	f.y = pageHeight - margin
}

// need begins a page unless so much room is left on this one.
func (f *flow) need(height float64) {
	if f.y-height < bottom {
		f.newPage()
	}
}

func (f *flow) gap(height float64) { f.y -= height }

// within indents what set sets.
func (f *flow) within(indent float64, set func()) {
	f.left += indent
	set()
	f.left -= indent
}

// text sets a paragraph; one that crosses the end of a page is two structure elements.
func (f *flow) text(tag string, s style, text string) {
	f.lines(tag, s, text, func(width, used float64) float64 { return 0 })
}

// centred sets a paragraph with its lines in the middle.
func (f *flow) centred(tag string, s style, text string) {
	f.lines(tag, s, text, func(width, used float64) float64 { return (width - used) / 2 })
}

func (f *flow) lines(tag string, s style, text string, shift func(width, used float64) float64) {
	width := f.right - f.left
	var lines []stamp.PaperLine
	flush := func() {
		if len(lines) > 0 {
			f.page.Paragraph(tag, lines...)
			lines = nil
		}
	}
	for _, run := range f.wrap(s, text, width) {
		if f.y-s.size*leading < bottom {
			flush()
			f.newPage()
		}
		f.y -= s.size * leading
		lines = append(lines, stamp.PaperLine{Run: run, Style: s.face, Size: s.size, Colour: s.colour,
			X: f.left + shift(width, run.Width(s.size)), Y: f.y + s.size*0.25})
	}
	flush()
}

// heading begins a section and stays on a page with so much of what follows.
func (f *flow) heading(vi, en string, keep float64) {
	f.need(34 + keep)
	f.gap(10)
	f.text("H2", style{typeface.Bold, 13, black}, vi+" / "+en)
	f.page.Fill(pale, f.left, f.y-2, f.right-f.left, 0.6)
	f.gap(5)
}

// labelWidth is the column of the names of facts.
const labelWidth = 138.0

// fact sets a name and a value beside it.
func (f *flow) fact(label, value string) {
	f.need(28)
	top := f.y
	right := f.right
	f.right = f.left + labelWidth - 8
	f.text("P", style{typeface.Regular, 10, grey}, label)
	under := f.y
	f.right, f.y = right, top
	page := f.page
	f.within(labelWidth, func() { f.text("P", style{typeface.Regular, 10.5, black}, value) })
	if f.page == page {
		f.y = min(f.y, under)
	}
	f.gap(1.5)
}

// boxed draws a bar of a colour beside what set sets.
func (f *flow) boxed(c colour, set func()) {
	f.need(90)
	page, top := f.page, f.y
	f.within(12, set)
	if f.page == page {
		page.Fill(c, f.left, f.y-4, 4, top-f.y+2)
	}
	f.gap(4)
}

// footers numbers the pages.
func (f *flow) footers(text string) {
	s := style{typeface.Regular, 8, grey}
	for i, p := range f.pages {
		line := f.shape(s, fmt.Sprintf("%s · trang %d/%d", text, i+1, len(f.pages)))
		p.Fill(pale, margin, bottom-14, pageWidth-2*margin, 0.5)
		p.Decoration(stamp.PaperLine{Run: line, Style: s.face, Size: s.size, Colour: s.colour, X: (pageWidth - line.Width(s.size)) / 2, Y: bottom - 26})
	}
}

// wrap breaks a text into lines at spaces; a word that is too long is broken where it must be.
func (f *flow) wrap(s style, text string, width float64) []typeface.Run {
	var lines []typeface.Run
	run := f.shape(s, text)
	for len(run) > 0 {
		n := fitting(run, s.size, width)
		line := run[:n]
		for len(line) > 0 && line[len(line)-1].Rune == ' ' {
			line = line[:len(line)-1]
		}
		lines = append(lines, line)
		for run = run[n:]; len(run) > 0 && run[0].Rune == ' '; {
			run = run[1:]
		}
	}
	return lines
}

// fitting is how many characters go on a line, at least one.
func fitting(run typeface.Run, size, width float64) int {
	var used float64
	space := 0
	for i, d := range run {
		if used += d.Advance * size / 1000; used > width && d.Rune != ' ' {
			if space > 0 {
				return space
			}
			return max(i, 1)
		}
		if d.Rune == ' ' {
			space = i + 1
		}
	}
	return len(run)
}

// shape turns a stranger's text into glyphs: one line, bounded, question marks for what the
// type does not have. Nothing in a text can move what stands beside it.
func (f *flow) shape(s style, text string) typeface.Run {
	run, err := f.faces[s.face].Shape(f.printable(text))
	if err != nil {
		return nil // every character was looked up
	}
	return run
}

func (f *flow) printable(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.Join(strings.Fields(norm.NFC.String(strings.ToValidUTF8(text, "?"))), " ") {
		if n++; n > maxRunes {
			b.WriteRune('…')
			break
		}
		_, known := f.faces[typeface.Regular].Glyph(r) // all styles have the same characters
		switch {
		case known:
			b.WriteRune(r)
		case unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Mn, r): // marks of direction, stray accents
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}
