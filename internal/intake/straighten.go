package intake

import "math"

// Straightening is suggested between these angles, in degrees. Less nobody sees; more is seldom
// a sheet that lies askew.
const (
	minTilt = 0.25
	maxTilt = 8.0
)

// suggest proposes how to straighten and crop a page: by the lines of its text and the edge of
// the paper. The zero Frame proposes nothing. What it proposes is the clerk's to take.
func (g grid) suggest() Frame {
	box, surrounded := g.paper()
	tilt := g.tilt(box)
	f := Frame{Tilt: -int(math.Round(tilt * 100))}
	if !surrounded {
		return f
	}
	if f.Tilt != 0 {
		// The edges of the paper are upright only in the turned picture.
		m := inkMap{k: 1, width: g.cols, cols: g.cols, rows: g.rows, cells: g.dense()}
		straight := m.framed(1, Frame{Tilt: f.Tilt}).upright(1)
		if box, surrounded = straight.paper(); !surrounded {
			return f
		}
	}
	cut := func(cells, of int) int {
		if cells == 0 {
			return 0
		}
		return (cells + edgeCells) * whole / of
	}
	f.Left, f.Right = cut(box.x0, g.cols), cut(g.cols-box.x1, g.cols)
	f.Top, f.Bottom = cut(box.y0, g.rows), cut(g.rows-box.y1, g.rows)
	return f
}

// edgeCells of the paper's own edge, which is never quite straight, are cut with what lies around.
const edgeCells = 1

// dense returns the cells row by row as seen.
func (g grid) dense() []uint8 {
	cells := make([]uint8, 0, g.cols*g.rows)
	row := make([]uint8, g.cols)
	for y := range g.rows {
		cells = append(cells, g.row(row, 0, y)...)
	}
	return cells
}

// box is a rectangle of cells, from x0 and y0 up to but not including x1 and y1.
type box struct{ x0, y0, x1, y1 int }

func (b box) inner(part int) box {
	dx, dy := (b.x1-b.x0)/part, (b.y1-b.y0)/part
	return box{b.x0 + dx, b.y0 + dy, b.x1 - dx, b.y1 - dy}
}

// tilt returns the angle by which the lines on a page run down to the right, in degrees, 0 if
// there is none to be sure of. It is the one at which the ink, added up along the lines, differs
// most from line to line (Postl 1986).
func (g grid) tilt(page box) float64 {
	points := g.ink(page.inner(20))
	if len(points) < minInk {
		return 0
	}
	points = thinned(points)
	p := newProjection(points, g)
	level := p.contrast(0)
	best, at := level, 0.0
	look := func(from, to, step float64) {
		for a := from; a <= to+step/2; a += step {
			if c := p.contrast(a); c > best {
				best, at = c, a
			}
		}
	}
	look(-maxTilt, maxTilt, 0.5)
	look(at-0.4, at+0.4, 0.1)
	look(at-0.05, at+0.05, 0.05)
	// A photograph has no lines: a degree more or less is as good.
	if math.Abs(at) < minTilt || math.Abs(at) > maxTilt-0.25 || best < level*surelyTilted || best < surelyLines*max(p.contrast(at+1), p.contrast(at-1)) {
		return 0
	}
	return at
}

// What makes an angle sure, found on scans and photographs of paper.
const (
	minInk       = 400    // cells
	enoughInk    = 20_000 // more cells do not make it surer
	surelyTilted = 1.15
	surelyLines  = 2.4 // text has 3.7 and more, photographs have less than 1.9
)

// point is a cell of ink.
type point struct{ x, y int16 }

// ink lists cells that are darker than the paper of their row.
func (g grid) ink(page box) (points []point) {
	row := make([]uint8, max(0, page.x1-page.x0))
	for y := page.y0; y < page.y1; y++ {
		g.row(row, page.x0, y)
		paper := int(quantile(row, 3, 4))
		for x, v := range row {
			if int(v)+inkContrast < paper {
				points = append(points, point{int16(page.x0 + x), int16(y)})
			}
		}
	}
	return points
}

// thinned leaves enough of the points, spread over the page.
func thinned(points []point) []point {
	step := (len(points) + enoughInk - 1) / enoughInk
	n := 0
	for i := 0; i < len(points); i += step {
		points[n] = points[i]
		n++
	}
	return points[:n]
}

// projection adds ink up along lines of an angle.
type projection struct {
	points []point
	sums   []int32
	middle float64
}

func newProjection(points []point, g grid) *projection {
	diagonal := int(math.Hypot(float64(g.cols), float64(g.rows)))
	return &projection{points: points, sums: make([]int32, 2*diagonal+4), middle: float64(diagonal)}
}

// contrast is the sum of the squared differences between neighbouring lines that run down to the
// right by some degrees.
func (p *projection) contrast(degrees float64) float64 {
	clear(p.sums)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	for _, q := range p.points {
		p.sums[int(float64(q.y)*cos-float64(q.x)*sin+p.middle)]++
	}
	sum := 0.0
	for i := 1; i < len(p.sums); i++ {
		d := float64(p.sums[i] - p.sums[i-1])
		sum += d * d
	}
	return sum
}

// What makes the surroundings of a paper, found on photographs of paper on tables.
const (
	darker     = 40 // the brightness by which what lies around is darker than the paper
	brightPart = 2  // a line belongs to the paper if one in so many of its cells is bright
	mostCut    = 3  // not more than one in so many of a side is cut
)

// paper returns where the paper lies in a picture and whether something darker lies around it: a
// table, or the lid of a scanner. Without surroundings it is all.
func (g grid) paper() (b box, surrounded bool) {
	all := box{0, 0, g.cols, g.rows}
	bright := quantile(g.cells, 3, 4)
	if bright < 2*darker {
		return all, false
	}
	limit := bright - darker
	rows, cols := make([]int, g.rows), make([]int, g.cols)
	row := make([]uint8, g.cols)
	for y := range g.rows {
		for x, v := range g.row(row, 0, y) {
			if v > limit {
				rows[y]++
				cols[x]++
			}
		}
	}
	b.y0, b.y1 = brightSpan(rows)
	b.x0, b.x1 = brightSpan(cols)
	cutX, cutY := g.cols-(b.x1-b.x0), g.rows-(b.y1-b.y0)
	if b.x1 <= b.x0 || b.y1 <= b.y0 || b.x0 > g.cols/mostCut || b.y0 > g.rows/mostCut ||
		g.cols-b.x1 > g.cols/mostCut || g.rows-b.y1 > g.rows/mostCut || cutX*50 < g.cols && cutY*50 < g.rows {
		return all, false
	}
	// What lies around must be dark nearly everywhere: else it is a part of the paper.
	inside, brightCells := 0, 0
	for y := range g.rows {
		brightCells += rows[y]
		for x, v := range g.row(row, 0, y) {
			if v > limit && x >= b.x0 && x < b.x1 && y >= b.y0 && y < b.y1 {
				inside++
			}
		}
	}
	outside := g.cols*g.rows - (b.x1-b.x0)*(b.y1-b.y0)
	return b, (brightCells-inside)*10 < outside
}

// brightSpan returns where lines begin and end that are bright for a good part, as long as the
// brightest.
func brightSpan(count []int) (from, to int) {
	most := 0
	for _, n := range count {
		most = max(most, n)
	}
	least := most / brightPart
	for from < len(count) && count[from] < least {
		from++
	}
	for to = len(count); to > from && count[to-1] < least; {
		to--
	}
	return from, to
}
