package intake

import "testing"

// BenchmarkSee is what finding out about one page costs beside decoding it.
func BenchmarkSee(b *testing.B) {
	img := scannedSheet(1)
	p := Page{Image: Image{Width: img.Rect.Dx(), Height: img.Rect.Dy(), Orientation: 1}}
	m := inkOf(img)
	for b.Loop() {
		p.see(m)
	}
}
