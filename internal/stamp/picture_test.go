package stamp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

// disc draws a filled circle of a colour on a ground.
func disc(t testing.TB, width, height int, ink, ground color.NRGBA) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetNRGBA(x, y, ground)
			if math.Hypot(float64(x)-float64(width)/2, float64(y)-float64(height)/2) < float64(min(width, height))/3 {
				m.SetNRGBA(x, y, ink)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withResolution inserts a pHYs chunk after IHDR.
func withResolution(file []byte, perMetre uint32) []byte {
	const afterHeader = 8 + 25
	body := append([]byte("pHYs"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, perMetre), perMetre)...)
	body = append(body, 1)
	chunk := binary.BigEndian.AppendUint32(nil, 9)
	chunk = binary.BigEndian.AppendUint32(append(chunk, body...), crc32.ChecksumIEEE(body))
	return append(append(bytes.Clone(file[:afterHeader]), chunk...), file[afterHeader:]...)
}

var (
	nothing = color.NRGBA{}
	paper   = color.NRGBA{255, 255, 255, 255}
	red     = color.NRGBA{220, 20, 30, 255}
	blue    = color.NRGBA{20, 50, 190, 255}
	grey    = color.NRGBA{60, 60, 60, 255}
)

func TestCheckPictures(t *testing.T) {
	seal := disc(t, 300, 300, red, nothing)
	for _, c := range []struct {
		name  string
		check func([]byte) error
		file  []byte
		ok    bool
	}{
		{"red seal", CheckSeal, seal, true},
		{"seal of 36 mm", CheckSeal, withResolution(seal, 300*1000/36), true},
		{"seal of 10 mm", CheckSeal, withResolution(seal, 300*1000/10), false},
		{"seal of 100 mm", CheckSeal, withResolution(seal, 3000), false},
		{"blue seal", CheckSeal, disc(t, 300, 300, blue, nothing), false},
		{"seal on white", CheckSeal, disc(t, 300, 300, red, paper), false},
		{"oblong seal", CheckSeal, disc(t, 300, 200, red, nothing), false},
		{"empty seal", CheckSeal, disc(t, 300, 300, nothing, nothing), false},
		{"blue signature", CheckSignature, disc(t, 300, 150, blue, nothing), true},
		{"black signature", CheckSignature, disc(t, 300, 150, grey, nothing), false},
		{"red signature", CheckSignature, disc(t, 300, 150, red, nothing), false},
		{"huge signature", CheckSignature, disc(t, 3001, 10, blue, nothing), false},
		{"cut off", CheckSignature, seal[:len(seal)/2], false},
		{"no PNG", CheckSignature, []byte("\xFF\xD8\xFF\xE0 JFIF"), false},
		{"nothing", CheckSeal, nil, false},
		{"large file", CheckSeal, append(bytes.Clone(seal), make([]byte, maxPictureBytes)...), false},
		{"demonstration seal", CheckSeal, someSeal(), true},
		{"demonstration signature", CheckSignature, someSignature(), true},
	} {
		err := c.check(c.file)
		if c.ok != (err == nil) || err != nil && (!errors.Is(err, ErrPicture) || certcopy.CodeOf(err) != certcopy.Invalid) {
			t.Errorf("%s: got %v, want ok %v", c.name, err, c.ok)
		}
	}
}

// Colours under fully transparent pixels, where something could hide, do not reach the file.
func TestNothingHidesUnderTransparency(t *testing.T) {
	p, err := sealPicture(disc(t, 90, 90, red, color.NRGBA{G: 255}))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(p.pixels.Pix); i += 4 {
		if p.pixels.Pix[i+1] == 255 {
			t.Fatal("a hidden green pixel is kept")
		}
	}
}

func TestDemonstrationPicturesAreAlwaysTheSame(t *testing.T) {
	again, err := DemonstrationSignature()
	if err != nil || !bytes.Equal(again, someSignature()) {
		t.Errorf("signature differs (%v)", err)
	}
	other, err := DemonstrationSeal("Ủy ban nhân dân phường Quy Nhơn")
	if err != nil || bytes.Equal(other, someSeal()) {
		t.Errorf("another agency has the same seal (%v)", err)
	}
	if _, err := DemonstrationSeal("阮"); err == nil {
		t.Error("a name that cannot be drawn gives a seal")
	}
}

func FuzzPixelsPerMetre(f *testing.F) {
	seal := disc(f, 9, 9, red, nothing)
	f.Add(seal)
	f.Add(withResolution(seal, 8000))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v := pixelsPerMetre(b); v < 0 {
			t.Fatalf("%g pixels per metre", v)
		}
	})
}
