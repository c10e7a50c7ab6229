package stamp

import (
	"errors"
	"strings"

	"rsc.io/qr"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp/typeface"
)

// ErrTooLong: a text does not fit its place; the certcopy.Error around it names which.
var ErrTooLong = errors.New("text too long")

// Measures of the statement block, in points.
const (
	blockWidth   = 511.0 // A4 less 42 points each side
	columnGap    = 12.0
	leftWidth    = 220.0 // letterhead, QR code
	signerWidth  = blockWidth - leftWidth - columnGap
	qrSide       = 82.0
	bodySize     = 13.0 // where the template says nothing; the heading is a point larger
	smallSize    = 11.0
	markSize     = 9.0
	leading      = 1.22
	blankWidth   = 40 * millimetre // a signature field without an image
	blankHeight  = 22 * millimetre
	overlapShare = 1.0 / 3 // of the signature's width under the seal
)

// block is the statement set in type: lines, the QR code, pictures and fields, with the
// origin at the lower left corner.
type block struct {
	width, height float64
	elements      []element
	code          *qr.Code
	signature     *picture // nil: none
	seal          *picture
	// Where the pictures and the fields lie.
	qrBox, signatureBox, sealBox, rule rect
}

// element is one structure element of the statement: a paragraph or heading.
type element struct {
	tag   string
	lines []line
}

// line is a run of text with the origin of its first glyph.
type line struct {
	run   typeface.Run
	style typeface.Style
	size  float64
	x, y  float64
}

// newBlock sets the statement of f.
func newBlock(f Facts) (*block, error) {
	b := &block{width: blockWidth}
	var err error
	if b.code, err = qr.Encode(f.VerifyURL, qr.M); err != nil {
		return nil, tooLong(fieldURL)
	}
	if len(f.Signature) > 0 {
		if b.signature, err = signaturePicture(f.Signature); err != nil {
			return nil, err
		}
	}
	if len(f.Seal) > 0 {
		if b.seal, err = sealPicture(f.Seal); err != nil {
			return nil, err
		}
	}
	if err := b.set(f); err != nil {
		return nil, err
	}
	b.flip()
	return b, nil
}

// set lays the block out from the top down; y grows downwards until flip.
func (b *block) set(f Facts) error {
	v := f.values()
	t := f.Template
	size := t.BodySize
	if size == 0 {
		size = bodySize
	}
	whole := &column{b: b, values: v, width: b.width}
	whole.text("H1", fieldTemplate, t.Heading, typeface.Bold, size+1, 2)
	for _, l := range t.Lines {
		whole.text("P", fieldTemplate, l, typeface.Regular, size, 2)
	}
	whole.y += 8

	right := &column{b: b, values: v, x: leftWidth + columnGap, width: signerWidth, y: whole.y, err: whole.err}
	right.text("P", fieldTemplate, t.Signer, typeface.Regular, size, 2)
	for _, l := range titleLines(f.Official.Title) {
		right.plain("P", fieldOfficialTitle, l, typeface.Bold, size, 3)
	}
	b.placePictures(right)
	right.plain("P", fieldOfficial, f.Official.Name, typeface.Bold, size, 2)

	left := &column{b: b, values: v, width: leftWidth, y: whole.y, err: right.err}
	left.plain("P", fieldAgency, letterhead(t.Letterhead, v), typeface.Bold, smallSize, 5)
	left.y += 4
	b.qrBox = rect{(leftWidth - qrSide) / 2, left.y, qrSide, qrSide}
	left.y += qrSide + 2
	left.text("P", fieldTemplate, t.CodeLine, typeface.Regular, smallSize, 2)

	foot := &column{b: b, values: v, width: b.width, y: max(left.y, right.y) + 5, err: left.err}
	b.rule = rect{0, foot.y, b.width, 0.5}
	foot.y += 3
	foot.text("P", fieldTemplate, t.ConversionMark, typeface.Italic, markSize, 5)
	b.height = foot.y
	return foot.err
}

// placePictures puts the signature between title and name, and the seal over its left third.
func (b *block) placePictures(c *column) {
	width, height := blankWidth, blankHeight
	if b.signature != nil {
		width, height = b.signature.width, b.signature.height
	}
	sealWidth, sealHeight := SealMillimetres*millimetre, SealMillimetres*millimetre
	if b.seal != nil {
		sealWidth, sealHeight = b.seal.width, b.seal.height
	}
	zone := max(sealHeight, height) + 4
	middle := c.y + zone/2
	b.signatureBox = rect{c.x + (c.width-width)/2, middle - height/2, width, height}
	b.sealBox = rect{0, middle - sealHeight/2, sealWidth, sealHeight}
	b.sealBox.x = b.signatureBox.x + width*overlapShare - b.sealBox.width
	c.y += zone
}

// titleLines splits "KT. CHỦ TỊCH / PHÓ CHỦ TỊCH" into its lines.
func titleLines(title string) []string {
	var lines []string
	for _, l := range strings.FieldsFunc(strings.ReplaceAll(title, " / ", "\n"), func(r rune) bool { return r == '\n' }) {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return lines
}

// letterhead expands a text, whose fields Validate has checked, and puts it in capitals.
func letterhead(text string, v values) string {
	expanded, _ := expand(text, v)
	return strings.ToUpper(expanded)
}

// flip turns the block's y axis upwards.
func (b *block) flip() {
	for i := range b.elements {
		for j := range b.elements[i].lines {
			b.elements[i].lines[j].y = b.height - b.elements[i].lines[j].y
		}
	}
	for _, r := range []*rect{&b.qrBox, &b.signatureBox, &b.sealBox, &b.rule} {
		r.y = b.height - r.y - r.height
	}
}

// column sets centred paragraphs one under the other; after an error it does nothing.
type column struct {
	b        *block
	values   values
	x, width float64
	y        float64
	err      error
}

// text sets a template text.
func (c *column) text(tag string, name fieldName, template string, style typeface.Style, size float64, maxLines int) {
	if c.err != nil {
		return
	}
	text, err := expand(template, c.values)
	if err != nil {
		c.err = err
		return
	}
	c.plain(tag, name, text, style, size, maxLines)
}

// plain sets a text as it is, broken at spaces into at most maxLines lines.
func (c *column) plain(tag string, name fieldName, text string, style typeface.Style, size float64, maxLines int) {
	if c.err != nil {
		return
	}
	face, err := typeface.Tinos(style)
	if err != nil {
		c.err = err
		return
	}
	runs, err := wrap(face, strings.Join(strings.Fields(text), " "), size, c.width)
	if err != nil {
		c.err = nameField(err, name)
		return
	}
	if len(runs) > maxLines {
		c.err = tooLong(name)
		return
	}
	e := element{tag: tag}
	for _, run := range runs {
		c.y += size * leading
		e.lines = append(e.lines, line{run, style, size, c.x + (c.width-run.Width(size))/2, c.y - size*0.25})
	}
	c.b.elements = append(c.b.elements, e)
}

// wrap breaks a text into as few lines as fit a width, of much the same length. A word that
// does not fit is broken inside where a person would break an address, after one of / - . or
// gives ErrTooLong.
func wrap(face *typeface.Face, text string, size, width float64) ([]typeface.Run, error) {
	run, err := face.Shape(text)
	if err != nil {
		return nil, err
	}
	lines, err := breakLines(run, size, width)
	if err != nil {
		return nil, err
	}
	const steps = 50
	for i := 1; i < steps && len(lines) > 1; i++ {
		narrower, err := breakLines(run, size, width*(1-float64(i)/(2*steps)))
		if err != nil || len(narrower) > len(lines) {
			break
		}
		lines = narrower
	}
	return lines, nil
}

func breakLines(run typeface.Run, size, width float64) ([]typeface.Run, error) {
	var lines []typeface.Run
	for len(run) > 0 {
		n := fitting(run, size, width)
		if n == 0 {
			return nil, ErrTooLong
		}
		lines = append(lines, trimSpace(run[:n]))
		run = trimSpace(run[n:])
	}
	return lines, nil
}

// fitting returns how many characters go on the line: all, or up to the last space, or up to
// the last other place to break.
func fitting(run typeface.Run, size, width float64) int {
	var used float64
	space, mark := 0, 0
	for i, d := range run {
		used += d.Advance * size / 1000
		if used > width && d.Rune != ' ' {
			if space > 0 {
				return space
			}
			return mark
		}
		switch d.Rune {
		case ' ':
			space = i + 1
		case '/', '-', '.':
			mark = i + 1
		}
	}
	return len(run)
}

func trimSpace(run typeface.Run) typeface.Run {
	for len(run) > 0 && run[0].Rune == ' ' {
		run = run[1:]
	}
	for len(run) > 0 && run[len(run)-1].Rune == ' ' {
		run = run[:len(run)-1]
	}
	return run
}

// nameField tells a person which fact cannot be set and why.
func nameField(err error, name fieldName) error {
	var missing *typeface.MissingGlyphError
	switch {
	case errors.As(err, &missing):
		return certcopy.Errorf(certcopy.Invalid, name.subject, err, certcopy.Msg(
			"Phông chữ không có ký tự "+quoted(missing.Rune)+" trong "+name.vi+". Hãy thay ký tự đó.",
			"The font has no character "+quoted(missing.Rune)+" of the "+name.en+". Replace it."))
	case errors.Is(err, ErrTooLong):
		return tooLong(name)
	}
	return err
}

func quoted(r rune) string { return "“" + string(r) + "”" }
