package pades

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
)

// blocks is a typeface whose letters are all half an em wide; it has no z.
type blocks struct{}

func (blocks) Shape(line string) ([]Glyph, error) {
	var out []Glyph
	for _, r := range line {
		if r == 'z' {
			return nil, fmt.Errorf("no glyph for %q", r)
		}
		out = append(out, Glyph{ID: uint16(r % 1000), Rune: r, Advance: 500})
	}
	return out, nil
}

func (blocks) Subset(glyphs []uint16) ([]byte, error) { return make([]byte, len(glyphs)), nil }

func (blocks) Metrics() Metrics {
	return Metrics{Name: "Blocks", Ascent: 800, Descent: -200, StemV: 80}
}

// TestTextFits: the letters are as large as fit, long lines are broken between words, and
// what does not fit or has no glyph is refused before anything is signed.
func TestTextFits(t *testing.T) {
	for _, c := range []struct {
		name          string
		lines         []string
		width, height float64
		size          float64 // 0: refused
		broken        int
	}{
		{"plenty of room", []string{"aaaa bbbb", "cc"}, 200, 100, 12, 2},
		{"as wide as it is", []string{strings.Repeat("a", 20)}, 100, 100, 10, 1},
		{"broken between words", []string{"aaaa bbbb cccc"}, 60, 100, 12, 2},
		{"smaller for the height", []string{"a", "b", "c", "d"}, 200, 40, 8, 4},
		{"an empty line counts", []string{"a", "", "b"}, 200, 40, 11, 3},
		{"one word too long", []string{strings.Repeat("a", 100)}, 100, 100, 0, 0},
		{"too low", []string{"a"}, 100, 4, 0, 0},
		{"a letter without a glyph", []string{"a z"}, 200, 100, 0, 0},
	} {
		size, lines, err := Text{Lines: c.lines, Typeface: blocks{}}.fit(c.width, c.height)
		if c.size == 0 {
			if !errors.Is(err, ErrText) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil || size != c.size || len(lines) != c.broken {
			t.Errorf("%s: size %v in %d lines, error %v", c.name, size, len(lines), err)
		}
	}
	if _, _, err := (Text{Lines: []string{"a"}}).fit(100, 100); !errors.Is(err, ErrOptions) {
		t.Errorf("without a typeface: %v", err)
	}
}

// TestTextAppearance: font and map to Unicode are in the update, and nothing of it if the text
// is refused.
func TestTextAppearance(t *testing.T) {
	base := document(t, "1.7", nil)
	o := options()
	o.Rect, o.Appearance = [4]float64{100, 100, 300, 160}, Text{Lines: []string{"Ký tên"}, Typeface: blocks{}}
	data := signed(t, base, official(), o, Means{})
	accepted(t, data, 1)
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	page, err := r.Page(0)
	if err != nil {
		t.Fatal(err)
	}
	annots, err := r.Array(page.Dict.Get("Annots"))
	if err != nil {
		t.Fatal(err)
	}
	at := pdf.Object(annots[len(annots)-1])
	for _, key := range []pdf.Name{"AP", "N", "Resources", "Font", "F0", "ToUnicode"} {
		d, err := r.Dict(at)
		if err != nil || !d.Has(key) {
			t.Fatalf("no /%s: %v", key, err)
		}
		at = d.Get(key)
	}
	stream, err := r.Resolve(at)
	if err != nil {
		t.Fatal(err)
	}
	cmap, err := r.Decode(stream.(*pdf.Stream))
	if err != nil || !bytes.Contains(cmap, []byte("<0005> <00EA>")) { // ê is the fifth glyph
		t.Errorf("map to Unicode: %s, %v", cmap, err)
	}

	o.Appearance = Text{Lines: []string{"zzz"}, Typeface: blocks{}}
	var out bytes.Buffer
	if _, err := Sign(t.Context(), bytes.NewReader(base), int64(len(base)), &out, official(), o, Means{}); !errors.Is(err, ErrText) || out.Len() != 0 {
		t.Errorf("%d bytes, error %v", out.Len(), err)
	}
}
