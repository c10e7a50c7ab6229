package typeface

// Point is a place in font units, y upwards.
type Point struct{ X, Y float64 }

// Contour is a closed curve: a start and, for each piece, the control point and the end of a
// quadratic curve.
type Contour struct {
	Start  Point
	Curves [][2]Point
}

// maxNesting bounds composites within composites.
const maxNesting = 4

// Outline returns the contours of g with its components in place; what is malformed, or
// placed by matching points, is left out.
func (f *Face) Outline(g GlyphID) []Contour { return f.outline(g, maxNesting) }

func (f *Face) outline(g GlyphID, nesting int) []Contour {
	if int(g) >= len(f.glyphs) || nesting == 0 {
		return nil
	}
	b := f.glyphs[g]
	parts, err := components(b)
	if err != nil || len(b) < glyphHeader {
		return nil
	}
	if len(parts) == 0 {
		return simpleContours(b)
	}
	var all []Contour
	for _, p := range parts {
		place := componentPlace(b[p:])
		for _, c := range f.outline(GlyphID(u16(b, p+2)), nesting-1) {
			all = append(all, c.mapped(place))
		}
	}
	return all
}

func (c Contour) mapped(place func(Point) Point) Contour {
	out := Contour{Start: place(c.Start)}
	for _, curve := range c.Curves {
		out.Curves = append(out.Curves, [2]Point{place(curve[0]), place(curve[1])})
	}
	return out
}

// componentPlace returns the mapping of a component record: scale, then shift.
func componentPlace(b []byte) func(Point) Point {
	const argsAreOffsets = 0x0002
	flags, at := u16(b, 0), 4
	var dx, dy float64
	if flags&argsAreWords != 0 {
		dx, dy = float64(i16(b, at)), float64(i16(b, at+2))
		at += 4
	} else {
		dx, dy = float64(int8(u16(b, at)>>8)), float64(int8(u16(b, at)&0xFF))
		at += 2
	}
	if flags&argsAreOffsets == 0 {
		dx, dy = 0, 0
	}
	fixed := func(at int) float64 { return float64(i16(b, at)) / 16384 }
	xx, xy, yx, yy := 1.0, 0.0, 0.0, 1.0
	switch {
	case flags&haveScale != 0:
		xx, yy = fixed(at), fixed(at)
	case flags&haveXYScale != 0:
		xx, yy = fixed(at), fixed(at+2)
	case flags&have2x2 != 0:
		xx, xy, yx, yy = fixed(at), fixed(at+2), fixed(at+4), fixed(at+6)
	}
	return func(p Point) Point { return Point{p.X*xx + p.Y*yx + dx, p.X*xy + p.Y*yy + dy} }
}

// simpleContours decodes the points of an outline without components.
func simpleContours(b []byte) []Contour {
	n := int(i16(b, 0))
	if n == 0 {
		return nil
	}
	at := glyphHeader + 2*n
	rest := at + 2 + int(u16(b, at))
	points := int(u16(b, at-2)) + 1
	if rest > len(b) {
		return nil
	}
	if _, err := pointsSize(b[rest:], points); err != nil {
		return nil
	}
	places, on := decodePoints(b[rest:], points)
	var all []Contour
	from := 0
	for i := range n {
		to := int(u16(b, glyphHeader+2*i)) + 1
		if to <= from || to > points {
			return nil
		}
		all = append(all, joined(places[from:to], on[from:to]))
		from = to
	}
	return all
}

// decodePoints reads flags and coordinates, whose length pointsSize has checked.
func decodePoints(b []byte, n int) (places []Point, on []bool) {
	const onCurve = 0x01
	flags := make([]byte, 0, n)
	at := 0
	for len(flags) < n {
		flag, times := b[at], 1
		at++
		if flag&repeated != 0 && at < len(b) {
			times += int(b[at])
			at++
		}
		for ; times > 0 && len(flags) < n; times-- {
			flags = append(flags, flag)
		}
	}
	places, on = make([]Point, n), make([]bool, n)
	x, y := 0, 0
	for i, flag := range flags {
		at, x = nextCoordinate(b, at, x, flag, xIsByte, xIsSame)
		places[i].X, on[i] = float64(x), flag&onCurve != 0
	}
	for i, flag := range flags {
		at, y = nextCoordinate(b, at, y, flag, yIsByte, yIsSame)
		places[i].Y = float64(y)
	}
	return places, on
}

func nextCoordinate(b []byte, at, last int, flag, isByte, isSame byte) (next, value int) {
	switch coordinateSize(flag, isByte, isSame) {
	case 1:
		if flag&isSame != 0 {
			return at + 1, last + int(b[at])
		}
		return at + 1, last - int(b[at])
	case 2:
		return at + 2, last + int(i16(b, at))
	}
	return at, last
}

// joined turns points on and off the curve into quadratic pieces: between two points off the
// curve lies one on it, halfway.
func joined(places []Point, on []bool) Contour {
	n := len(places)
	start := places[0]
	if !on[0] {
		start = middle(places[0], places[n-1])
		if on[n-1] {
			start = places[n-1]
		}
	}
	c := Contour{Start: start}
	var control *Point
	add := func(end Point) {
		if control == nil {
			control = &end
		}
		c.Curves = append(c.Curves, [2]Point{*control, end})
		control = nil
	}
	for i, p := range places {
		switch {
		case on[i] && i == 0:
		case on[i]:
			add(p)
		default:
			if control != nil {
				add(middle(*control, p))
			}
			control = &p
		}
	}
	add(start)
	return c
}

func middle(a, b Point) Point { return Point{(a.X + b.X) / 2, (a.Y + b.Y) / 2} }
