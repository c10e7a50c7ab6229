package intake

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sheet is a page of 1000 × 1400 samples of one brightness, on which a test draws.
type sheet struct{ pix [][]uint8 }

func newSheet(v uint8) sheet {
	s := sheet{make([][]uint8, 1400)}
	for y := range s.pix {
		s.pix[y] = make([]uint8, 1000)
		for x := range s.pix[y] {
			s.pix[y][x] = v
		}
	}
	return s
}

func (s sheet) box(x0, y0, x1, y1 int, v uint8) {
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			s.pix[y][x] = v
		}
	}
}

func TestFreeBottom(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	grain := func(s sheet, amount uint32) {
		for _, row := range s.pix {
			for x := range row {
				row[x] -= uint8(r.Uint32() % amount)
			}
		}
	}
	tests := []struct {
		name  string
		paper uint8
		draw  func(s sheet)
		want  float64 // of the height
	}{
		{"blank", 255, func(sheet) {}, 1},
		{"blank with strong grain", 255, func(s sheet) { grain(s, 60) }, 1},
		{"text to the middle", 255, func(s sheet) { s.box(100, 100, 900, 700, 20) }, 0.5},
		{"text with grain on grey paper", 215, func(s sheet) { s.box(100, 100, 900, 700, 40); grain(s, 30) }, 0.5},
		{"a word near the bottom", 255, func(s sheet) { s.box(100, 1300, 140, 1320, 30) }, 80.0 / 1400},
		{"a page number of one digit", 255, func(s sheet) { s.box(500, 1250, 508, 1264, 30) }, 136.0 / 1400},
		{"a thin rule", 255, func(s sheet) { s.box(100, 1200, 900, 1202, 0) }, 198.0 / 1400},
		{"a thin upright stroke", 255, func(s sheet) { s.box(300, 900, 302, 1100, 0) }, 300.0 / 1400},
		{"dust", 255, func(s sheet) { s.box(100, 100, 900, 400, 0); s.box(700, 1000, 702, 1002, 0) }, 1000.0 / 1400},
		{"shadow along the edges", 255, func(s sheet) {
			s.box(100, 100, 900, 700, 20)
			s.box(0, 0, 8, 1400, 90)
			s.box(0, 1391, 1000, 1400, 90)
		}, 0.5},
		{"paper that darkens downwards", 255, func(s sheet) {
			for y, row := range s.pix {
				for x := range row {
					row[x] = uint8(250 - y/30)
				}
			}
			s.box(100, 100, 900, 700, 20)
		}, 0.5},
		{"a pale stamp", 255, func(s sheet) { s.box(600, 1000, 800, 1180, 210) }, 220.0 / 1400},
		{"a dark band across", 255, func(s sheet) { s.box(0, 1100, 1000, 1200, 60) }, 200.0 / 1400},
		{"a photograph", 255, func(s sheet) {
			for _, row := range s.pix {
				for x := range row {
					row[x] = uint8(40 + x/5)
				}
			}
		}, 0},
	}
	for _, tt := range tests {
		s := newSheet(tt.paper)
		tt.draw(s)
		m := newInkMap(1000, 1400)
		for _, row := range s.pix {
			m.add(row)
		}
		// Never more than is free; at most two cells and dust's allowance less.
		if got := m.free(1); got > tt.want+1e-9 || got < tt.want-0.006 {
			t.Errorf("%s: %.4f free, want %.4f", tt.name, got, tt.want)
		}
	}
}

func TestFreeBottomFollowsOrientation(t *testing.T) {
	s := newSheet(255)
	s.box(100, 100, 900, 500, 0) // ink in the upper part: 100 free above, 900 below, 100 at each side
	m := newInkMap(1000, 1400)
	for _, row := range s.pix {
		m.add(row)
	}
	want := map[Orientation]float64{1: 900.0 / 1400, 2: 900.0 / 1400, 3: 100.0 / 1400, 4: 100.0 / 1400, 5: 0.1, 6: 0.1, 7: 0.1, 8: 0.1}
	for o, w := range want {
		if got := m.free(o); math.Abs(got-w) > 0.005 {
			t.Errorf("orientation %d: %.4f free, want %.4f", o, got, w)
		}
	}
}
