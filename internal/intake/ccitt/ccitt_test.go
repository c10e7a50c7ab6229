package ccitt

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	peer "golang.org/x/image/ccitt"
)

// pictures of several kinds: blank, black, noise, stripes, long runs.
func pictures() map[string][][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	rows := func(n, bytes int, f func(y, x int) byte) [][]byte {
		p := make([][]byte, n)
		for y := range p {
			p[y] = make([]byte, bytes)
			for x := range p[y] {
				p[y][x] = f(y, x)
			}
		}
		return p
	}
	return map[string][][]byte{
		"white":   rows(5, 40, func(int, int) byte { return 0 }),
		"black":   rows(5, 40, func(int, int) byte { return 0xFF }),
		"noise":   rows(50, 40, func(int, int) byte { return byte(r.Uint32()) }),
		"sparse":  rows(50, 300, func(int, int) byte { return byte(1 << (r.Uint32() % 90)) }),
		"stripes": rows(9, 40, func(y, x int) byte { return byte(0xAA >> (y & 1)) }),
		"runs":    rows(9, 2000, func(y, x int) byte { return -byte(x / (700 + y) & 1) }),
	}
}

func encode(p [][]byte, width int) []byte {
	e := NewEncoder(width)
	for _, row := range p {
		e.Add(row)
	}
	return e.Close()
}

func TestGroup4RoundTrip(t *testing.T) {
	for name, p := range pictures() {
		for cut := range 9 {
			width := len(p[0])*8 - cut
			code := encode(p, width)
			d, err := NewDecoder(code, Options{Width: width, Group4: true})
			if err != nil {
				t.Fatal(err)
			}
			theirs := peer.NewReader(bytes.NewReader(code), peer.MSB, peer.Group4, width, len(p), &peer.Options{Invert: true})
			row, other := make([]byte, (width+7)/8), make([]byte, (width+7)/8)
			for y := range p {
				want := bytes.Clone(p[y][:len(row)])
				want[len(row)-1] &= 0xFF << (len(row)*8 - width)
				if err := d.Next(row); err != nil || !bytes.Equal(row, want) {
					t.Fatalf("%s, width %d, row %d: %v\n got %x\nwant %x", name, width, y, err, row, want)
				}
				if _, err := io.ReadFull(theirs, other); err != nil {
					t.Fatalf("%s, width %d, row %d: another decoder: %v", name, width, y, err)
				}
				other[len(row)-1] &= 0xFF << (len(row)*8 - width)
				if !bytes.Equal(other, want) {
					t.Fatalf("%s, width %d, row %d: another decoder differs", name, width, y)
				}
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	code := encode(pictures()["noise"], 320)
	for name, tt := range map[string]struct {
		b    []byte
		want error
	}{
		"empty":    {nil, io.ErrUnexpectedEOF},
		"cut off":  {code[:len(code)/2], io.ErrUnexpectedEOF},
		"no code":  {append([]byte{0x01, 0xFF}, code...), ErrCode},
		"too long": {[]byte{0b00100000, 0b00011111, 0x01, 0xF0, 0x1F, 0xFF, 0xFF, 0xFF}, ErrCode},
	} {
		d, err := NewDecoder(tt.b, Options{Width: 320, Group4: true})
		if err != nil {
			t.Fatal(err)
		}
		row := make([]byte, 40)
		for range 50 {
			if err = d.Next(row); err != nil {
				break
			}
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	for _, width := range []int{0, -1, MaxWidth + 1} {
		if _, err := NewDecoder(nil, Options{Width: width}); err == nil {
			t.Errorf("width %d is accepted", width)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, p := range pictures() {
		f.Add(encode(p, len(p[0])*8), uint16(len(p[0])*8), uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, width uint16, kind uint8) {
		o := Options{Width: int(width), Group4: kind&1 != 0, TwoDimensional: kind&2 != 0, AlignedRows: kind&4 != 0}
		d, err := NewDecoder(b, o)
		if err != nil {
			return
		}
		row := make([]byte, (o.Width+7)/8)
		var p [][]byte
		for range 64 {
			if d.Next(row) != nil {
				break
			}
			p = append(p, bytes.Clone(row))
		}
		// What was decoded can be encoded and comes back.
		again, err := NewDecoder(encode(p, o.Width), Options{Width: o.Width, Group4: true})
		if err != nil {
			t.Fatal(err)
		}
		for y := range p {
			if err := again.Next(row); err != nil || !bytes.Equal(row, p[y]) {
				t.Fatalf("row %d: %v", y, err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	p := pictures()["sparse"]
	b.SetBytes(int64(len(p) * len(p[0])))
	for b.Loop() {
		encode(p, len(p[0])*8)
	}
}
