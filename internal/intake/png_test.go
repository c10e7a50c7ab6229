package intake

import (
	"bytes"
	"testing"

	"github.com/saoy/saoy/internal/intake/ccitt"
)

// TestBilevelPNG: whichever sample is black, Group 4 holds the same picture.
func TestBilevelPNG(t *testing.T) {
	head := chunk("IHDR", []byte{0, 0, 0, 160, 0, 0, 0, 90, 1, 3, 0, 0, 0})
	grey := chunk("IHDR", []byte{0, 0, 0, 160, 0, 0, 0, 90, 1, 0, 0, 0, 0})
	rows := func(flip byte) []byte {
		f := newFlateRows(20, 1)
		for y := range 90 {
			row := bytes.Repeat([]byte{flip}, 20)
			for x := y; x < y+40; x++ { // a slanted stroke
				row[x/8] ^= 0x80 >> (x % 8)
			}
			if err := f.add(row); err != nil {
				t.Fatal(err)
			}
		}
		b, err := f.close()
		if err != nil {
			t.Fatal(err)
		}
		return chunk("IDAT", b)
	}
	var pictures []string
	for name, b := range map[string][]byte{
		"black is 0": pngOf(head, chunk("PLTE", []byte("\x00\x00\x00\xFF\xFF\xFF")), rows(0xFF), chunk("IEND", nil)),
		"black is 1": pngOf(head, chunk("PLTE", []byte("\xFF\xFF\xFF\x00\x00\x00")), rows(0), chunk("IEND", nil)),
		"grey":       pngOf(grey, rows(0xFF), chunk("IEND", nil)),
	} {
		p, err := readPNG(name, b)
		if err != nil {
			t.Fatal(name, err)
		}
		if p.Encoding != G4 || p.Palette != nil {
			t.Errorf("%s: %s, palette %v", name, p.Encoding, p.Palette)
			continue
		}
		d, err := ccitt.NewDecoder(p.Data, ccitt.Options{Width: 160, Group4: true})
		if err != nil {
			t.Fatal(err)
		}
		var picture []byte
		for range 90 {
			row := make([]byte, 20)
			if err := d.Next(row); err != nil {
				t.Fatal(name, err)
			}
			picture = append(picture, row...)
		}
		pictures = append(pictures, string(picture))
	}
	for _, p := range pictures {
		if p != pictures[0] {
			t.Error("the pictures differ")
		}
	}
	// A coloured pair stays a palette.
	p, err := readPNG("red", pngOf(head, chunk("PLTE", []byte("\xFF\x00\x00\xFF\xFF\xFF")), rows(0), chunk("IEND", nil)))
	if err != nil || p.Encoding != Flate || len(p.Palette) != 6 {
		t.Errorf("red: %s, palette %v, %v", p.Encoding, p.Palette, err)
	}
}
