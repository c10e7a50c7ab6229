package stamp

import (
	"encoding/binary"
	"math"
	"sync"
)

// srgbName is the condition that the output intent and the profile name.
const srgbName = "sRGB IEC61966-2.1"

// srgbProfile returns an ICC profile of version 2.1 for sRGB as IEC 61966-2-1 defines it:
// three primaries adapted to D50 and one tone curve (ICC.1:2001-04). Its date is fixed.
var srgbProfile = sync.OnceValue(buildSRGBProfile)

// The primaries of sRGB adapted from D65 to D50 by the Bradford method, and the illuminant.
var (
	redXYZ   = [3]float64{0.43607, 0.22249, 0.01392}
	greenXYZ = [3]float64{0.38515, 0.71687, 0.09708}
	blueXYZ  = [3]float64{0.14307, 0.06061, 0.71410}
	d50      = [3]float64{0.9642, 1, 0.8249}
)

func buildSRGBProfile() []byte {
	curve := toneCurve()
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", textDescription(srgbName)},
		{"cprt", append([]byte("text\x00\x00\x00\x00"), "No copyright, use freely\x00"...)},
		{"wtpt", xyz(d50)}, {"rXYZ", xyz(redXYZ)}, {"gXYZ", xyz(greenXYZ)}, {"bXYZ", xyz(blueXYZ)},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	const header = 128
	offset := header + 4 + 12*len(tags)
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var body []byte
	at := map[string]int{} // tags with the same data share it
	for _, t := range tags {
		start, shared := at[string(t.data)]
		if !shared {
			start = offset + len(body)
			at[string(t.data)] = start
			body = append(body, t.data...)
			body = append(body, make([]byte, (4-len(body)%4)%4)...)
		}
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(start))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
	}
	profile := append(profileHeader(offset+len(body)), table...)
	return append(profile, body...)
}

func profileHeader(size int) []byte {
	h := binary.BigEndian.AppendUint32(nil, uint32(size))
	h = append(h, 0, 0, 0, 0)                         // no preferred module
	h = append(h, 2, 0x10, 0, 0)                      // version 2.1
	h = append(h, "mntrRGB XYZ "...)                  // display profile, RGB to XYZ
	for _, v := range []uint16{2026, 1, 1, 0, 0, 0} { // a fixed date
		h = binary.BigEndian.AppendUint16(h, v)
	}
	h = append(h, "acsp"...)
	h = append(h, make([]byte, 28)...) // platform, flags, device, attributes, perceptual intent
	h = append(h, xyzNumbers(d50)...)
	return append(h, make([]byte, 128-len(h))...)
}

// toneCurve samples the transfer function of IEC 61966-2-1 §5.2.
func toneCurve() []byte {
	const samples = 1024
	b := append([]byte("curv\x00\x00\x00\x00"), 0, 0, samples>>8, samples&0xFF)
	for i := range samples {
		v := float64(i) / (samples - 1)
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(v*65535)))
	}
	return b
}

func xyz(v [3]float64) []byte { return append([]byte("XYZ \x00\x00\x00\x00"), xyzNumbers(v)...) }

func xyzNumbers(v [3]float64) []byte {
	var b []byte
	for _, n := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(math.Round(n*65536)))
	}
	return b
}

// textDescription is the type of the desc tag: an ASCII text, empty Unicode and script ones.
func textDescription(s string) []byte {
	b := []byte("desc\x00\x00\x00\x00")
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)+1))
	b = append(append(b, s...), 0)
	return append(b, make([]byte, 4+4+2+1+67)...)
}
