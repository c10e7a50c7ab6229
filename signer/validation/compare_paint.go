package validation

import (
	"math"
	"slices"
	"strconv"

	"github.com/saoy/saoy/signer/pdf"
)

// Bounds of what a comment may draw.
const (
	maxLine  = 4    // width of a line, in points
	maxInk   = 0.25 // share of its rectangle under lines
	maxForms = 4    // forms within each other
)

// blend is how a content stream mixes with what lies below it.
type blend struct {
	multiply bool // the colour is multiplied with the page
	fixed    bool // and nothing in the stream can change that
}

// painter walks the appearance of a comment and refuses whatever could cover the page: text,
// images, shadings, fills that are not multiplied with the page or are dark, wide or dense
// lines (ISO 32000-2 §8.5, §11.3.5).
type painter struct {
	c     *comparer
	scale float64 // points to the unit of the appearance, at most
	inked float64 // length by width of all lines, in units of the appearance
	depth int
}

// pen is the graphics state as far as it matters.
type pen struct {
	blend
	width float64
	light bool
}

// form reports whether a form XObject lets the page through.
func (p *painter) form(s *pdf.Stream, b blend) (bool, error) {
	if p.depth++; p.depth > maxForms {
		return false, nil
	}
	defer func() { p.depth-- }()
	if plain, err := p.upright(s.Dict.Get("Matrix")); err != nil || !plain {
		return false, err
	}
	group, isGroup, err := p.c.new.dict(s.Dict.Get("Group"))
	if err != nil {
		return false, err
	}
	if isGroup && !b.multiply {
		// Within an isolated group nothing is multiplied with the page.
		isolated, err := p.c.new.get(group.Get("I"))
		if err != nil {
			return false, err
		}
		b.fixed = b.fixed || isolated == pdf.Boolean(true)
	} else if isGroup {
		b.fixed = true // the group is multiplied as a whole
	}
	res, _, err := p.c.new.dict(s.Dict.Get("Resources"))
	if err != nil {
		return false, err
	}
	body, err := p.c.new.r.Decode(s)
	if err != nil {
		return false, nil //nolint:nilerr // what cannot be read may hide anything
	}
	if p.c.work -= len(body) / 64; p.c.work < 0 {
		return false, errTooComplex
	}
	return p.content(body, res, pen{blend: b, width: 1})
}

// upright reports whether a matrix only moves.
func (p *painter) upright(o pdf.Object) (bool, error) {
	a, err := p.c.new.array(o)
	if err != nil || a == nil {
		return err == nil, err
	}
	m := make([]float64, 0, 6)
	for _, v := range a[:min(len(a), 6)] {
		v, err := p.c.new.get(v)
		if err != nil {
			return false, err
		}
		f, _ := pdf.Float(v)
		m = append(m, f)
	}
	return moves(m), nil
}

func moves(m []float64) bool {
	return len(m) == 6 && m[0] == 1 && m[1] == 0 && m[2] == 0 && m[3] == 1
}

// content walks a content stream; false means that it could cover something.
func (p *painter) content(body []byte, res pdf.Dict, now pen) (bool, error) {
	var stack []pen
	var args []float64
	var name pdf.Name
	path := outline{}
	for l := (&lexer{b: body}); ; {
		word, kind := l.token()
		switch kind {
		case tokenEnd:
			return true, nil
		case tokenNumber:
			args = append(args, parseNumber(word))
			continue
		case tokenName:
			name = pdf.Name(nameOf([]byte(word)))
			continue
		case tokenOther:
			continue
		case tokenBad:
			return false, nil
		}
		ok, err := true, error(nil)
		switch {
		case word == "q":
			stack = append(stack, now)
		case word == "Q" && len(stack) > 0:
			now, stack = stack[len(stack)-1], stack[:len(stack)-1]
		case word == "gs":
			ok, err = p.state(res, name, &now)
		case word == "Do":
			ok, err = p.do(res, name, now.blend)
		default:
			ok = p.operator(word, args, &now, &path)
		}
		if err != nil || !ok || len(stack) > maxNesting {
			return false, err
		}
		args, name = args[:0], ""
	}
}

// operator draws, or changes the pen; false for everything that is not known to be harmless.
func (p *painter) operator(op string, args []float64, now *pen, path *outline) bool {
	switch op {
	case "w":
		now.width = last(args)
	case "g", "rg", "k":
		now.light = light(args)
	case "cm":
		return moves(args)
	case "m", "l", "c", "v", "y", "re", "h":
		path.add(op, args)
	case "S", "s":
		return p.stroke(now, path)
	case "f", "F", "f*":
		path.clear()
		return now.multiply && now.light
	case "B", "B*", "b", "b*":
		return now.multiply && now.light && p.stroke(now, path)
	case "n":
		path.clear()
	case "W", "W*", "J", "j", "M", "d", "G", "RG", "K", "i", "ri", "BMC", "EMC", "Q":
	default:
		return false
	}
	return true
}

func (p *painter) stroke(now *pen, path *outline) bool {
	p.inked += path.length * max(now.width, 1/p.scale)
	path.clear()
	return now.width*p.scale <= maxLine
}

// state applies an entry of /ExtGState (ISO 32000-2 Table 57).
func (p *painter) state(res pdf.Dict, name pdf.Name, now *pen) (bool, error) {
	states, _, err := p.c.new.dict(res.Get("ExtGState"))
	if err != nil {
		return false, err
	}
	gs, ok, err := p.c.new.dict(states.Get(name))
	if err != nil || !ok {
		return false, err
	}
	for _, e := range gs {
		v, err := p.c.new.get(e.Value)
		if err != nil {
			return false, err
		}
		switch e.Key {
		case "Type", "CA", "ca", "AIS", "OP", "op", "OPM", "SA":
		case "LW":
			now.width, _ = pdf.Float(v)
		case "BM":
			if !now.fixed {
				now.multiply = v == pdf.Name("Multiply")
			}
		case "SMask":
			if v != pdf.Name("None") {
				return false, nil
			}
		default:
			return false, nil
		}
	}
	return true, nil
}

func (p *painter) do(res pdf.Dict, name pdf.Name, b blend) (bool, error) {
	forms, _, err := p.c.new.dict(res.Get("XObject"))
	if err != nil {
		return false, err
	}
	o, err := p.c.new.get(forms.Get(name))
	if err != nil {
		return false, err
	}
	s, ok := o.(*pdf.Stream)
	if !ok || s.Dict.Name("Subtype") != "Form" {
		return false, nil
	}
	return p.form(s, b)
}

// light reports whether black text stays legible under a colour that is multiplied with it:
// grey, RGB or CMYK by the number of its parts.
func light(c []float64) bool {
	const least = 0.5
	switch len(c) {
	case 1, 3:
		return slices.Max(c) >= least
	case 4:
		return 1-min(c[0], c[1], c[2])-c[3] >= least
	}
	return false
}

func last(n []float64) float64 {
	if len(n) == 0 {
		return math.Inf(1)
	}
	return math.Abs(n[len(n)-1])
}

// outline measures a path, by its control points where it is curved.
type outline struct{ length, x, y, startX, startY float64 }

func (o *outline) clear() { *o = outline{} }

func (o *outline) add(op string, a []float64) {
	switch {
	case op == "m" && len(a) == 2:
		o.x, o.y, o.startX, o.startY = a[0], a[1], a[0], a[1]
	case op == "re" && len(a) == 4:
		o.length += 2 * (math.Abs(a[2]) + math.Abs(a[3]))
	case op == "h":
		o.to(o.startX, o.startY)
	default:
		for ; len(a) >= 2; a = a[2:] {
			o.to(a[0], a[1])
		}
	}
}

func (o *outline) to(x, y float64) {
	o.length += math.Hypot(x-o.x, y-o.y)
	o.x, o.y = x, y
}

// Kinds of tokens of a content stream.
const (
	tokenEnd = iota
	tokenNumber
	tokenName
	tokenOther // strings, arrays, dictionaries
	tokenOperator
	tokenBad
)

// token reads the next word of a content stream.
func (l *lexer) token() (string, int) {
	l.space()
	if l.i >= len(l.b) {
		return "", tokenEnd
	}
	from := l.i
	if c := l.b[l.i]; c == '/' {
		l.i++
		l.regular()
		return string(l.b[from+1 : l.i]), tokenName
	} else if c == '(' || c == '[' || c == '<' {
		if l.value(0) != nil {
			return "", tokenBad
		}
		return "", tokenOther
	}
	l.regular()
	word := string(l.b[from:l.i])
	switch {
	case word == "":
		return "", tokenBad
	case isNumber(word):
		return word, tokenNumber
	}
	return word, tokenOperator
}

func parseNumber(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.Inf(1) // not a number is as wide as can be
	}
	return f
}

// redrawnText: a text or choice field drawn anew may show its text; it may cover what lies
// below only as far as it did when the document was signed (shadow attack, hide).
func (c *comparer) redrawnText(before, after pdf.Dict, where *trail) error {
	now, err := c.opaque(c.new, after)
	if err != nil || !now {
		return err
	}
	was, err := c.coveredBefore(before)
	if err == nil && !was {
		c.disallow(both{"trường được điền bằng một hình che nội dung (%s)", "a field was filled with something that covers the page (%s)"}.with(where.String()))
	}
	return err
}

// coveredBefore reports whether a field covered what lies below it when it was signed: by
// its appearance or, having none, by the background it asks readers to draw.
func (c *comparer) coveredBefore(before pdf.Dict) (bool, error) {
	if before.Has("AP") {
		return c.opaque(c.old, before)
	}
	mk, _, err := c.old.dict(before.Get("MK"))
	return mk.Has("BG") || mk.Has("BC") || !before.Has("Rect"), err
}

// opaque reports whether an appearance of a field has fills, images or shadings.
func (c *comparer) opaque(v view, d pdf.Dict) (bool, error) {
	ap, _, err := v.dict(d.Get("AP"))
	if err != nil {
		return false, err
	}
	for _, e := range ap {
		o, err := v.get(e.Value)
		if err != nil {
			return false, err
		}
		s, ok := o.(*pdf.Stream)
		if !ok {
			continue
		}
		body, err := v.r.Decode(s)
		if err != nil {
			return true, nil //nolint:nilerr // what cannot be read may hide anything
		}
		if c.work -= len(body) / 64; c.work < 0 {
			return false, errTooComplex
		}
		if fills(body) {
			return true, nil
		}
	}
	return false, nil
}

// fills reports whether a content stream has an operator that paints more than text and
// lines, or cannot be read.
func fills(body []byte) bool {
	for l := (&lexer{b: body}); ; {
		switch word, kind := l.token(); kind {
		case tokenEnd:
			return false
		case tokenBad:
			return true
		case tokenOperator:
			if slices.Contains([]string{"f", "F", "f*", "B", "B*", "b", "b*", "Do", "sh", "BI"}, word) {
				return true
			}
		}
	}
}
