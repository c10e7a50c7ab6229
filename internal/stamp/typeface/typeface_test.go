package typeface

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func face(t testing.TB, s Style) *Face {
	t.Helper()
	f, err := Tinos(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Every promised character is in every style, and digits are tabular: a number's width does
// not depend on its value, which the dry run of a stamp relies on.
func TestCharacters(t *testing.T) {
	for _, s := range []Style{Regular, Bold, Italic} {
		f := face(t, s)
		zero, _ := f.Glyph('0')
		for _, r := range Characters() {
			g, ok := f.Glyph(r)
			if !ok || g == 0 {
				t.Errorf("%s: no glyph for %q", f.Name, r)
			}
			if r >= '0' && r <= '9' && f.Advance(g) != f.Advance(zero) {
				t.Errorf("%s: digit %q is %d wide, 0 is %d", f.Name, r, f.Advance(g), f.Advance(zero))
			}
			if r > ' ' && r != 0xA0 && r != 0xAD && len(f.glyphs[g]) == 0 {
				t.Errorf("%s: %q has an empty outline", f.Name, r)
			}
		}
	}
}

func TestShapeComposesDecomposedText(t *testing.T) {
	f := face(t, Regular)
	composed, err := f.Shape("Ủy ban nhân dân xã Ân Tường Đông")
	if err != nil {
		t.Fatal(err)
	}
	decomposed, err := f.Shape("U\u0309y ban nha\u0302n da\u0302n xa\u0303 A\u0302n Tu\u031bo\u031b\u0300ng Đo\u0302ng")
	if err != nil {
		t.Fatal(err)
	}
	if composed.Width(12) != decomposed.Width(12) || len(composed) != len(decomposed) {
		t.Errorf("NFC gives %d glyphs, NFD %d", len(composed), len(decomposed))
	}
}

func TestShapeNamesTheMissingCharacter(t *testing.T) {
	for _, text := range []string{"阮文安", "Nguyễn 🙂", "a\tb", "x\u0328"} {
		_, err := face(t, Regular).Shape(text)
		var missing *MissingGlyphError
		if !errors.As(err, &missing) {
			t.Errorf("%q: got %v, want a MissingGlyphError", text, err)
		}
	}
}

// A subset holds the outlines of the whole, after components moved to other places.
func TestSubsetKeepsOutlines(t *testing.T) {
	f := face(t, Bold)
	run, err := f.Shape("ếẶđ1Ủ")
	if err != nil {
		t.Fatal(err)
	}
	var glyphs []GlyphID
	for _, d := range run {
		glyphs = append(glyphs, d.Glyph)
	}
	b, err := f.Subset(glyphs)
	if err != nil {
		t.Fatal(err)
	}
	again, err := f.Subset(glyphs)
	if err != nil || !bytes.Equal(b, again) {
		t.Fatalf("a second subset differs (%v)", err)
	}
	checkWithFontTools(t, b, len(glyphs))
}

// checkWithFontTools lets an independent reader load every table and glyph.
func checkWithFontTools(t *testing.T, font []byte, glyphs int) {
	t.Helper()
	if exec.Command("python3", "-c", "import fontTools").Run() != nil {
		skip(t, "python3 with fontTools is not installed")
		return
	}
	path := filepath.Join(t.TempDir(), "subset.ttf")
	if err := os.WriteFile(path, font, 0o600); err != nil {
		t.Fatal(err)
	}
	script := `
import sys
from fontTools.ttLib import TTFont
from fontTools.ttLib.sfnt import SFNTReader, calcChecksum
f = TTFont(sys.argv[1], checkChecksums=2)
order = f.getGlyphOrder()
for g in order:
    glyph = f["glyf"][g]
    glyph.expand(f["glyf"])
    assert not getattr(glyph, "program", None) or not glyph.program.getBytecode(), g
    glyph.getCoordinates(f["glyf"])
assert len(order) > int(sys.argv[2]), order
data = open(sys.argv[1], "rb").read()
assert calcChecksum(data) == 0xB1B0AFBA, hex(calcChecksum(data))
`
	out, err := exec.Command("python3", "-c", script, path, "5").CombinedOutput()
	if err != nil {
		t.Errorf("fontTools (%d glyphs): %v\n%s", glyphs, err, out)
	}
}

func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("SAOY_REQUIRE") == "all" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// A font cut off anywhere is refused, or its remaining glyphs work; nothing panics.
func TestParseTruncated(t *testing.T) {
	b, err := files.ReadFile("fonts/Tinos-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(b)-4; n += 97 {
		if _, err := Parse(b[:n]); !errors.Is(err, ErrFont) {
			t.Fatalf("%d of %d bytes: got %v, want ErrFont", n, len(b), err)
		}
	}
}

func TestSubsetRefusesWhatDoesNotExist(t *testing.T) {
	f := face(t, Regular)
	for _, glyphs := range [][]GlyphID{{9999}, {5, 5}, {0}} {
		if _, err := f.Subset(glyphs); !errors.Is(err, ErrFont) {
			t.Errorf("%v: got %v, want ErrFont", glyphs, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	b, err := files.ReadFile("fonts/Tinos-Italic.ttf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:400])
	f.Fuzz(func(t *testing.T, b []byte) {
		face, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrFont) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		var glyphs []GlyphID
		for g := GlyphID(1); int(g) < len(face.glyphs) && g < 50; g++ {
			glyphs = append(glyphs, g)
		}
		if _, err := face.Subset(glyphs); err != nil && !errors.Is(err, ErrFont) {
			t.Fatalf("untyped error %v", err)
		}
	})
}
