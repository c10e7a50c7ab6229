package intake

import (
	"image"
	"math/rand/v2"
	"testing"
)

// sheetOf is paper with grain under a light that falls off by half to the right, with strokes of
// given darkness in it, each of its own row of 60 samples.
func sheetOf(strokes []int) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, 800, 60*len(strokes)+400))
	r := rand.New(rand.NewPCG(1, 1))
	for y := range g.Rect.Dy() {
		for x := range 800 {
			v := 238 - 110*x/800 + int(r.Uint32()%9) - 4
			if row := y / 60; row < len(strokes) && y%60 > 28 && y%60 < 32 && x%100 < 60 {
				v -= strokes[row] * v / 238
			}
			if y >= 60*len(strokes)+100 && y < 60*len(strokes)+300 && x > 200 && x < 500 {
				v = 40 // a black area larger than any window
			}
			g.Pix[y*g.Stride+x] = uint8(v)
		}
	}
	return g
}

// Pencil and pale stamps stay in black and white, in light and in shadow; grain does not, and a
// black area is black to its middle.
func TestThresholdKeepsPaleInk(t *testing.T) {
	strokes := []int{200, 90, 50, 38}
	bw := blackAndWhite(sheetOf(strokes), 200)
	for i, s := range strokes {
		black := 0
		for x := range 800 {
			if bw.GrayAt(x, 60*i+30).Y == 0 {
				black++
			}
		}
		if black < 440 || black > 500 {
			t.Errorf("a stroke darker by %d: %d of 480 samples are black", s, black)
		}
	}
	end := 60 * len(strokes)
	for name, c := range map[string]struct {
		area image.Rectangle
		want int
	}{"grain": {image.Rect(0, end+5, 800, end+90), 0}, "a black area": {image.Rect(210, end+110, 490, end+290), 280 * 180}} {
		black := 0
		for y := c.area.Min.Y; y < c.area.Max.Y; y++ {
			for x := c.area.Min.X; x < c.area.Max.X; x++ {
				if bw.GrayAt(x, y).Y == 0 {
					black++
				}
			}
		}
		if abs(black-c.want) > 10 {
			t.Errorf("%s: %d samples are black, want %d", name, black, c.want)
		}
	}
}
