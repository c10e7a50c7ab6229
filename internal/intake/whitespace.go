package intake

import (
	"slices"
)

// inkMap is a coarse picture of a page, filled row by row, in which empty paper is looked
// for. A cell holds the mean brightness of k × k samples: about a third of a millimetre on A4, so that
// the grain of a scanner disappears and a hairline does not.
type inkMap struct {
	width, k   int
	cols, rows int
	sums       []uint32 // of the row of cells being filled
	filled     int      // rows of samples in it
	cells      []uint8
}

// cellsAlong is the greatest number of cells along the longer side.
const cellsAlong = 1000

func newInkMap(width, height int) *inkMap {
	k := max(1, (max(width, height)+cellsAlong-1)/cellsAlong)
	cols := (width + k - 1) / k
	return &inkMap{width: width, k: k, cols: cols, sums: make([]uint32, cols), cells: make([]uint8, 0, cols*((height+k-1)/k))}
}

// add takes the next row of samples, brightness 0 to 255.
func (m *inkMap) add(row []uint8) {
	for c, k := 0, m.k; c < m.cols; c++ {
		var s uint32
		for _, v := range row[c*k : min((c+1)*k, m.width)] {
			s += uint32(v)
		}
		m.sums[c] += s
	}
	if m.filled++; m.filled == m.k {
		m.flush()
	}
}

func (m *inkMap) flush() {
	if m.filled == 0 {
		return
	}
	for c := range m.sums {
		across := min((c+1)*m.k, m.width) - c*m.k
		m.cells = append(m.cells, uint8(m.sums[c]/uint32(across*m.filled)))
		m.sums[c] = 0
	}
	m.filled = 0
	m.rows++
}

// free returns the part of the height, as seen in an orientation, that is empty from the
// bottom up: 1 for a blank page.
func (m *inkMap) free(o Orientation) float64 {
	m.flush()
	if m.rows == 0 {
		return 0
	}
	g := m.upright(o)
	n := g.emptyRows()
	switch {
	case n == g.rows:
		return 1
	case n <= g.rows/100:
		return 0 // ink up to where it is not looked for
	}
	// One cell of distance from the lowest ink, whose edge may lie inside its cell.
	return float64(max(0, n-1)) / float64(g.rows)
}

// grid is an inkMap as seen: the cell in column x and row y is cells[first+x*right+y*down].
type grid struct {
	cols, rows         int
	cells              []uint8
	first, right, down int
}

func (m *inkMap) upright(o Orientation) grid {
	g := grid{cols: m.cols, rows: m.rows, cells: m.cells}
	if o.Swaps() {
		g.cols, g.rows = m.rows, m.cols
	}
	// Where the first stored cell and its neighbours are seen, turned about: the turn of a
	// quarter is undone by its contrary, the others by themselves.
	back := o
	switch o {
	case 6:
		back = 8
	case 8:
		back = 6
	}
	at := func(x, y int) int {
		c, r := seenAt(back, x, y, g.cols, g.rows)
		return r*m.cols + c
	}
	g.first = at(0, 0)
	g.right, g.down = at(1, 0)-g.first, at(0, 1)-g.first
	return g
}

// row writes some cells of a row, from column x on.
func (g grid) row(dst []uint8, x, y int) []uint8 {
	at := g.first + x*g.right + y*g.down
	for i := range dst {
		dst[i] = g.cells[at]
		at += g.right
	}
	return dst
}

// seenAt returns where the sample in column c and row r of a stored image is seen.
func seenAt(o Orientation, c, r, cols, rows int) (x, y int) {
	switch o {
	case 2:
		return cols - 1 - c, r
	case 3:
		return cols - 1 - c, rows - 1 - r
	case 4:
		return c, rows - 1 - r
	case 5:
		return r, c
	case 6:
		return rows - 1 - r, c
	case 7:
		return rows - 1 - r, cols - 1 - c
	case 8:
		return r, cols - 1 - c
	}
	return c, r
}

// Thresholds of brightness and size, found on scans of paper with grain, shadow and tint.
const (
	inkContrast  = 28 // a cell so much darker than the paper of its row is ink,
	maxContrast  = 45 // or, where the paper is grainy, up to so much darker
	bandContrast = 50 // a row whose paper is so much darker than the page's is a band
	speckCells   = 2  // so many dark cells in a row may be dust
	strokeRows   = 3  // but what hangs together over so many rows is none
)

// emptyRows counts the rows from the bottom up without ink. The outermost hundredth of the
// page on each side, where no printer prints and scanners leave shadows, is not looked at.
func (g grid) emptyRows() int {
	edgeX, edgeY := g.cols/100, g.rows/100
	cells := make([]uint8, g.cols-2*edgeX)
	paper := quantile(g.cells, 3, 4)
	stroke, above := 0, []int(nil)
	for y := g.rows - 1 - edgeY; y >= edgeY; y-- {
		row := g.row(cells, edgeX, y)
		dark, local := darkCells(row)
		if int(local)+bandContrast < int(paper) || len(dark) > speckCells {
			return g.rows - 1 - y - stroke
		}
		switch {
		case len(dark) == 0:
			stroke = 0
		case touch(dark, above):
			stroke++
		default:
			stroke = 1
		}
		if stroke == strokeRows {
			return g.rows - 1 - y - (strokeRows - 1)
		}
		above = dark
	}
	return g.rows
}

// touch reports whether a cell of one row borders on a cell of the next: a stroke, not grain.
func touch(a, b []int) bool {
	for _, x := range a {
		for _, y := range b {
			if x-y <= 1 && y-x <= 1 {
				return true
			}
		}
	}
	return false
}

// darkCells returns the columns of ink, as many as prove that it is no dust, and the paper's
// brightness.
func darkCells(row []uint8) (dark []int, paper uint8) {
	paper = quantile(row, 3, 4)
	grain := int(paper) - int(quantile(row, 1, 2)) // two thirds of the deviation of mere noise
	contrast := min(max(inkContrast, 6*grain), maxContrast)
	for x, v := range row {
		if int(v)+contrast < int(paper) {
			if dark = append(dark, x); len(dark) > speckCells {
				break
			}
		}
	}
	return dark, paper
}

// quantile returns the value below which num/den of the values lie.
func quantile(v []uint8, num, den int) uint8 {
	if len(v) == 0 {
		return 0
	}
	if len(v) < 64 {
		s := slices.Clone(v)
		slices.Sort(s)
		return s[(len(s)-1)*num/den]
	}
	var hist [256]int
	for _, x := range v {
		hist[x]++
	}
	rank := (len(v) - 1) * num / den
	for x, n := range hist {
		if rank -= n; rank < 0 {
			return uint8(x)
		}
	}
	return 255
}
