package intake

import (
	"bytes"
	"math"
	"math/bits"

	"github.com/saoy/saoy/internal/certcopy"
)

// Look is what was found out about a page while its samples were decoded.
type Look struct {
	// Feet is Image.Free as it would be after 0, 1, 2 and 3 quarter turns clockwise from the
	// orientation the file came with.
	Feet [4]float64
	// Print tells whether two pages show the same; see Print.Same.
	Print Print
	// Suggest is how the page as it was uploaded could be straightened and cropped.
	Suggest Frame `json:",omitzero"`
}

// see records what an ink map shows of a page.
func (p *Page) see(m *inkMap) {
	o := p.Orientation
	for k := range p.Look.Feet {
		p.Look.Feet[k] = m.free(o.turned(k))
	}
	p.Free = p.Look.Feet[0]
	seen := m.upright(p.Orientation)
	p.Look.Print, p.Look.Suggest = seen.print(), seen.suggest()
}

// seeFramed records what a frame leaves to be seen of a page; what was suggested stays.
func (p *Page) seeFramed(m *inkMap, f Frame) {
	part := m.framed(p.Orientation, f)
	for k := range p.Look.Feet {
		p.Look.Feet[k] = part.free(Orientation(1).turned(k))
	}
	p.Free = p.Look.Feet[0]
	p.Look.Print = part.upright(1).print()
}

// Size of a Print: cells of some 3 mm on A4, wider than what a second scan shifts a page.
const (
	printCols = 64
	printRows = 90
)

// Print is a coarse picture of where a page has more ink than its row and its column have on
// average (Dark) and where it has less (Light), a bit for each of 64 × 90 cells. Taking rows
// and columns out leaves what differs between pages of one layout: words, not lines.
type Print struct {
	Dark, Light []uint64 `json:",omitempty"` // printRows of them, or none for a blank page
}

// print makes the Print of a picture.
func (g grid) print() Print {
	if g.cols < printCols || g.rows < printRows {
		return Print{}
	}
	cells, sigma := g.residue()
	// A mean so small is the grain of an empty page.
	if sigma < 1.5 {
		return Print{}
	}
	p := Print{Dark: make([]uint64, printRows), Light: make([]uint64, printRows)}
	for i, v := range cells {
		switch {
		case v > sigma/2:
			p.Dark[i/printCols] |= 1 << (i % printCols)
		case v < -sigma/2:
			p.Light[i/printCols] |= 1 << (i % printCols)
		}
	}
	return p
}

// residue returns the darkness of each cell without the means of its row and column, and the
// standard deviation.
func (g grid) residue() (cells []float64, sigma float64) {
	paper := float64(quantile(g.cells, 3, 4))
	cells = make([]float64, printCols*printRows)
	count := make([]float64, printCols*printRows)
	row, column := make([]uint8, g.cols), make([]int, g.cols)
	for x := range column {
		column[x] = x * printCols / g.cols
	}
	for y := range g.rows {
		line := y * printRows / g.rows * printCols
		for x, v := range g.row(row, 0, y) {
			at := line + column[x]
			cells[at] += max(0, paper-float64(v))
			count[at]++
		}
	}
	for i := range cells {
		cells[i] /= count[i]
	}
	takeOutLayout(cells)
	sum := 0.0
	for _, v := range cells {
		sum += v * v
	}
	return cells, math.Sqrt(sum / float64(len(cells)))
}

// takeOutLayout subtracts from each cell what its row and its column make likely: their
// product, as if lines were equally dense everywhere.
func takeOutLayout(cells []float64) {
	var rows [printRows]float64
	var cols [printCols]float64
	total := 0.0
	for i, v := range cells {
		rows[i/printCols] += v
		cols[i%printCols] += v
		total += v
	}
	if total == 0 {
		return
	}
	for i := range cells {
		cells[i] -= rows[i/printCols] * cols[i%printCols] / total
	}
}

// samePrint is the correlation from which two pages count as one: scans of one paper, moved
// and turned as by hand, have 0.4 and more, pages of one contract less than 0.1.
const samePrint = 0.25

// maxShift is how many cells two scans of one paper may be apart.
const maxShift = 2

// Same reports whether two prints are of one page, perhaps scanned twice. A blank page is
// the same as none.
func (p Print) Same(q Print) bool { return p.likeness(q) > samePrint }

// likeness is the highest correlation over small shifts: −1 to 1.
func (p Print) likeness(q Print) float64 {
	if !p.valid() || !q.valid() {
		return 0
	}
	best := -1.0
	for dy := -maxShift; dy <= maxShift; dy++ {
		for dx := -maxShift; dx <= maxShift; dx++ {
			best = math.Max(best, p.correlation(q, dx, dy))
		}
	}
	return best
}

func (p Print) valid() bool { return len(p.Dark) == printRows && len(p.Light) == printRows }

func (p Print) correlation(q Print, dx, dy int) float64 {
	agree, own, other := 0, 0, 0
	for y := max(0, -dy); y < min(printRows, printRows-dy); y++ {
		d, l := shifted(q.Dark[y+dy], dx), shifted(q.Light[y+dy], dx)
		agree += bits.OnesCount64(p.Dark[y]&d) + bits.OnesCount64(p.Light[y]&l)
		agree -= bits.OnesCount64(p.Dark[y]&l) + bits.OnesCount64(p.Light[y]&d)
		own += bits.OnesCount64(p.Dark[y] | p.Light[y])
		other += bits.OnesCount64(d | l)
	}
	if own == 0 || other == 0 {
		return 0
	}
	return float64(agree) / math.Sqrt(float64(own)*float64(other))
}

func shifted(row uint64, by int) uint64 {
	if by < 0 {
		return row << -by
	}
	return row >> by
}

// Duplicates returns for each page the first page before it, from 1, that shows the same; 0
// where there is none. Equal samples are a duplicate too, unless the page is blank.
func Duplicates(pages []*Page) []int {
	first := make([]int, len(pages))
	for i := range pages {
		for k := range i {
			if first[k] == 0 && pages[i].shows(pages[k]) {
				first[i] = k + 1
				break
			}
		}
	}
	return first
}

// shows reports whether two pages are the same: by their samples, for what is as regular as a
// form has no print, or by their prints.
func (p *Page) shows(q *Page) bool {
	return p.Free < 1 && bytes.Equal(p.Data, q.Data) || p.Look.Print.Same(q.Look.Print)
}

// WarnDuplicate is the warning for a page that shows what an earlier page, from 1, shows.
func WarnDuplicate(page int) Warning {
	return Warning{DuplicatePage, certcopy.Msg(
		"Trang giống trang "+decimal(page)+". Nếu quét trùng, hãy bỏ một trang.",
		"The page looks like page "+decimal(page)+". If it was scanned twice, remove one of them.")}
}
