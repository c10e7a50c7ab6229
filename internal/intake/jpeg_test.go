package intake

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"testing"
)

// withSegments puts segments behind the start of a JPEG.
func withSegments(b []byte, segments ...[]byte) []byte {
	out := append([]byte{}, b[:2]...)
	for _, s := range segments {
		out = append(out, s...)
	}
	return append(out, b[2:]...)
}

func segment(marker byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2)), body...)
}

func exifSegment(order binary.AppendByteOrder, o Orientation, dpi uint32) []byte {
	mark := "II"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		mark = "MM"
	}
	b := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	b = order.AppendUint16(b, 4)
	entry := func(tag, kind uint16, value uint32) {
		b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), kind), 1)
		if kind == 3 {
			b = order.AppendUint16(order.AppendUint16(b, uint16(value)), 0)
		} else {
			b = order.AppendUint32(b, value)
		}
	}
	entry(tagOrientation, 3, uint32(o))
	entry(tagXResolution, 5, 62)
	entry(tagYResolution, 5, 62)
	entry(tagResolutionUnit, 3, 2)
	b = order.AppendUint32(b, 0)
	b = order.AppendUint32(order.AppendUint32(b, dpi), 1)
	return segment(mAPP1, append([]byte("Exif\x00\x00"), b...))
}

func TestJPEGKeepsSamplesAndNothingElse(t *testing.T) {
	plain := jpegOf(t, original(), 80) // has no application segments
	jfif := segment(mAPP0, append([]byte("JFIF\x00\x01\x02\x01\x00\x96\x00\x96\x02\x01"), []byte("thumbs")...))
	dirty := withSegments(plain, jfif,
		exifSegment(binary.BigEndian, 6, 300), segment(mAPP1, []byte("http://ns.adobe.com/xap/1.0/\x00<gps>")),
		segment(0xED, []byte("Photoshop 3.0\x00secret")), segment(mCOM, []byte("taken by A")), segment(mAPP0, []byte("JFXX\x00\x10thumb")))
	dirty = append(dirty, "MotionPhoto_Data film"...)
	p, err := readJPEG("a.jpg", dirty)
	if err != nil {
		t.Fatal(err)
	}
	if p.Orientation != 6 || p.DPIX != 150 || p.DPIY != 150 {
		t.Errorf("orientation %d, %g × %g dpi", p.Orientation, p.DPIX, p.DPIY)
	}
	if !bytes.HasPrefix(p.Data, []byte("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x02\x01\x00\x96\x00\x96\x00\x00")) {
		t.Errorf("begins % x", p.Data[:24])
	}
	if !bytes.Equal(p.Data[20:], plain[2:]) {
		t.Error("tables, headers or samples differ from those that came")
	}
}

func TestJPEGResolutionOfEXIF(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		p, err := readJPEG("a.jpg", withSegments(jpegOf(t, original(), 60), exifSegment(order, 3, 240)))
		if err != nil || p.Orientation != 3 || p.DPIX != 240 {
			t.Errorf("%v: orientation %d, %g dpi, %v", order, p.Orientation, p.DPIX, err)
		}
	}
	p, err := readJPEG("a.jpg", withSegments(jpegOf(t, original(), 60), exifSegment(binary.LittleEndian, 77, 0)))
	if err != nil || p.Orientation != 1 || p.DPIX != 0 {
		t.Errorf("nonsense: orientation %d, %g dpi, %v", p.Orientation, p.DPIX, err)
	}
}

// profile makes an ICC profile with three primaries in XYZ of D50 and one gamma.
func profile(primaries [9]float64, gamma float64) []byte {
	b := make([]byte, 128)
	copy(b[16:], "RGB XYZ ")
	b = binary.BigEndian.AppendUint32(b, 6)
	var data []byte
	for i, name := range []string{"rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"} {
		var d []byte
		if i < 3 {
			d = append(d, "XYZ \x00\x00\x00\x00"...)
			for k := range 3 {
				d = binary.BigEndian.AppendUint32(d, uint32(int32(primaries[3*i+k]*65536)))
			}
		} else {
			d = append(d, "curv\x00\x00\x00\x00\x00\x00\x00\x01"...)
			d = append(binary.BigEndian.AppendUint16(d, uint16(gamma*256)), 0, 0)
		}
		b = binary.BigEndian.AppendUint32(append(b, name...), uint32(132+72+len(data)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(d)))
		data = append(data, d...)
	}
	return append(b, data...)
}

// Primaries of ICC profiles as published, adapted to D50.
var (
	srgbPrimaries  = [9]float64{0.4360, 0.2225, 0.0139, 0.3851, 0.7169, 0.0971, 0.1431, 0.0606, 0.7139}
	adobePrimaries = [9]float64{0.6097, 0.3111, 0.0195, 0.2053, 0.6257, 0.0609, 0.1492, 0.0632, 0.7446}
	p3Primaries    = [9]float64{0.5151, 0.2412, -0.0011, 0.2920, 0.6922, 0.0419, 0.1571, 0.0666, 0.7841}
)

func TestColourProfiles(t *testing.T) {
	flat := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		copy(flat.Pix[4*i:], []byte{200, 60, 40, 255})
	}
	b := jpegOf(t, flat, 100)
	in := func(icc []byte) []byte {
		// Two parts, as long profiles have.
		return withSegments(b, segment(mAPP2, append([]byte("ICC_PROFILE\x00\x01\x02"), icc[:100]...)), segment(mAPP2, append([]byte("ICC_PROFILE\x00\x02\x02"), icc[100:]...)))
	}
	tests := []struct {
		name      string
		icc       []byte
		converted bool
		want      color.RGBA // by the published matrices between the linear spaces
	}{
		{"sRGB", profile(srgbPrimaries, 2.2), false, color.RGBA{200, 60, 40, 255}},
		{"Adobe RGB", profile(adobePrimaries, 2.2), true, color.RGBA{232, 57, 34, 255}},
		{"Display P3", profile(p3Primaries, 2.2), true, color.RGBA{219, 37, 13, 255}},
		{"broken", make([]byte, 300), false, color.RGBA{200, 60, 40, 255}},
	}
	for _, tt := range tests {
		p, err := readJPEG(tt.name, in(tt.icc))
		if err != nil {
			t.Fatal(tt.name, err)
		}
		if warned := len(p.Warnings) == 1 && p.Warnings[0].Code == Converted; warned != tt.converted {
			t.Errorf("%s: warnings %v", tt.name, p.Warnings)
		}
		img, err := jpeg.Decode(bytes.NewReader(p.Data))
		if err != nil {
			t.Fatal(err)
		}
		r, g, bl, _ := img.At(32, 32).RGBA()
		got := color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), 255}
		for _, d := range []int{int(got.R) - int(tt.want.R), int(got.G) - int(tt.want.G), int(got.B) - int(tt.want.B)} {
			if d > 3 || d < -3 {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
				break
			}
		}
	}
}

func FuzzScanJPEG(f *testing.F) {
	small := jpegOf(f, image.NewGray(image.Rect(0, 0, 16, 16)), 50)
	f.Add(small)
	f.Add(withSegments(small, exifSegment(binary.BigEndian, 6, 300), segment(mAPP2, append([]byte("ICC_PROFILE\x00\x01\x01"), profile(p3Primaries, 2.2)...))))
	if b, err := os.ReadFile("../../../shared/corpora/scans/hebtypo.jpg"); err == nil {
		f.Add(b[:4096])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		j, err := scanJPEG(b)
		if err != nil {
			return
		}
		// What is left is a JPEG of the same frame, and cleaning it again changes nothing.
		again, err := scanJPEG(j.clean)
		if err != nil {
			t.Fatalf("the clean file does not parse: %v", err)
		}
		if again.width != j.width || again.height != j.height || !bytes.Equal(again.clean, j.clean) {
			t.Fatal("cleaning twice differs from cleaning once")
		}
		if j.width*j.height < 1<<16 {
			_, _ = readJPEG("fuzz", b)
		}
	})
}
