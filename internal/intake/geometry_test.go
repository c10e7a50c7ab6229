package intake

import (
	"math"
	"slices"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

func TestPlace(t *testing.T) {
	const tolerance = 0.5
	tests := []struct {
		name          string
		w, h          int
		dpiX, dpiY    float64
		o             Orientation
		width, height float64 // of the sheet
		x, y, iw, ih  float64
		dpi           float64
	}{
		{"A4 at 200 dpi", 1654, 2339, 200, 200, 1, 595.4, 842, 0, 0, 595.4, 842, 200},
		{"A4 across, turned", 1654, 2339, 200, 200, 6, 842, 595.4, 0, 0, 842, 595.4, 200},
		{"no claim: fitted to A4", 3000, 4000, 0, 0, 1, 595.3, 841.9, 0, 48.2, 595.3, 793.7, 362.9},
		{"72 dpi is not believed", 3000, 4000, 72, 72, 1, 595.3, 841.9, 0, 48.2, 595.3, 793.7, 362.9},
		{"2400 dpi is not believed", 3000, 4000, 2400, 2400, 1, 595.3, 841.9, 0, 48.2, 595.3, 793.7, 362.9},
		{"across without claim", 4000, 3000, 0, 0, 1, 841.9, 595.3, 24.1, 0, 793.7, 595.3, 362.9},
		{"identity card at 300 dpi", 1011, 638, 300, 300, 1, 595.3, 841.9, 176.3, 646.3, 242.6, 153.1, 300},
		{"A5 across", 1654, 1165, 200, 200, 1, 595.3, 841.9, 0, 379.9, 595.3, 419.4, 200},
		{"A4 high, half as wide", 1169, 2339, 200, 200, 1, 595.3, 841.9, 87.2, 0, 420.8, 841.9, 200},
		{"diploma A3 across", 3307, 2339, 200, 200, 1, 1190.5, 842, 0, 0, 1190.5, 842, 200},
		{"map A2", 4677, 6614, 200, 200, 1, 1683.7, 2381, 0, 0, 1683.7, 2381, 200},
		{"letter", 1700, 2200, 200, 200, 1, 612, 792, 0, 0, 612, 792, 200},
		{"fax, 204 × 98 dpi", 1728, 1145, 204, 98, 1, 595.3, 841.9, 0, 20.8, 595.3, 821.1, 100.4},
		{"larger than any paper", 30000, 2000, 100, 100, 1, 841.9, 595.3, 0, 539.2, 841.9, 56.1, 2565},
		{"one pixel", 1, 1, 300, 300, 1, 595.3, 841.9, 297.5, 799.1, 0.24, 0.24, 300},
	}
	for _, tt := range tests {
		m := &Image{Width: tt.w, Height: tt.h, DPIX: tt.dpiX, DPIY: tt.dpiY, Orientation: tt.o}
		s := place(m, Frame{})
		for _, v := range [][2]float64{{s.Width, tt.width}, {s.Height, tt.height}, {s.X, tt.x}, {s.W, tt.iw}, {s.H, tt.ih}} {
			if math.Abs(v[0]-v[1]) > tolerance {
				t.Errorf("%s: %+v", tt.name, s)
				break
			}
		}
		if math.Abs(s.Y-tt.y) > tolerance || math.Abs(s.DPI-tt.dpi) > 0.01*tt.dpi+0.5 {
			t.Errorf("%s: %+v", tt.name, s)
		}
		if s.X < 0 || s.Y < -0.01 || s.X+s.W > s.Width+0.02 || s.Y+s.H > s.Height+0.02 {
			t.Errorf("%s: leaves the sheet: %+v", tt.name, s)
		}
	}
}

// TestMatrix compares where the corners go with where the samples are seen.
func TestMatrix(t *testing.T) {
	s := Sheet{X: 10, Y: 20, W: 300, H: 500}
	for o := Orientation(1); o <= 8; o++ {
		m := s.matrix(o)
		cols, rows := 4, 6
		seenCols, seenRows := cols, rows
		if o.Swaps() {
			seenCols, seenRows = rows, cols
		}
		for c := range cols {
			for r := range rows {
				u, v := (float64(c)+0.5)/float64(cols), 1-(float64(r)+0.5)/float64(rows)
				x, y := m[0]*u+m[2]*v+m[4], m[1]*u+m[3]*v+m[5]
				sx, sy := seenAt(o, c, r, cols, rows)
				wantX := s.X + s.W*(float64(sx)+0.5)/float64(seenCols)
				wantY := s.Y + s.H*(1-(float64(sy)+0.5)/float64(seenRows))
				if math.Abs(x-wantX) > 1e-9 || math.Abs(y-wantY) > 1e-9 {
					t.Fatalf("orientation %d: sample %d,%d is drawn at %g,%g, seen at %g,%g", o, c, r, x, y, wantX, wantY)
				}
			}
		}
	}
}

// Intake, the flow and the office go by one rule of what is too coarse.
func TestResolutionIsJudgedByOneRule(t *testing.T) {
	for dpi, want := range map[float64]bool{0: false, 100: true, 197.9: true, 198.1: false, 199.6: false, 200: false, 300: false} {
		p := Page{Image: Image{Width: int(dpi * 8.27), Height: int(dpi * 11.69), DPIX: dpi, DPIY: dpi, Orientation: 1}}
		if dpi == 0 {
			p.Width, p.Height = 2480, 3508
		}
		p.settle()
		warned := slices.ContainsFunc(p.Warnings, func(w Warning) bool { return w.Code == LowResolution })
		if page := (certcopy.Page{DPI: p.Sheet.DPI}); warned != want || page.LowResolution() != want {
			t.Errorf("%v dpi, %v on the sheet: warned %v, %v", dpi, p.Sheet.DPI, warned, page.LowResolution())
		}
	}
}
