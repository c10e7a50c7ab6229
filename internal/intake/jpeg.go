package intake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// jpegFile is what the markers of a JPEG say (ITU-T T.81 Annex B) and the file without all
// that is not needed to show it.
type jpegFile struct {
	width, height int
	components    int
	bits          int
	progressive   bool
	baselineLike  bool // SOF0, SOF1 or SOF2: what a PDF reader must decode
	rgbIDs        bool // component identifiers "RGB", which readers take differently
	adobe         int  // transform of the Adobe APP14 segment; -1: there is none
	dpiX, dpiY    float64
	orientation   Orientation
	exif          []byte
	icc           []byte
	iccParts      map[byte][]byte
	scans         int
	ended         bool // an end-of-image marker was found
	// clean has the quantisation and Huffman tables, frame and scan headers and the
	// entropy-coded bytes as they came, a JFIF segment without thumbnail and the Adobe segment.
	clean []byte
}

// Markers of ITU-T T.81 Table B.1.
const (
	mSOI   = 0xD8
	mEOI   = 0xD9
	mSOS   = 0xDA
	mDQT   = 0xDB
	mDNL   = 0xDC
	mDRI   = 0xDD
	mDHT   = 0xC4
	mDAC   = 0xCC
	mJPG   = 0xC8
	mAPP0  = 0xE0
	mAPP1  = 0xE1
	mAPP2  = 0xE2
	mAPP14 = 0xEE
	mAPP15 = 0xEF
	mCOM   = 0xFE
)

// maxScans bounds the passes over a progressive image, each of which costs the time of a
// decoding and may have a few bytes only. Encoders make about ten.
const maxScans = 100

var errJPEG = errors.New("not a JPEG structure")

// scanJPEG walks the markers of b. It follows no length beyond b, keeps no application
// segment but JFIF and Adobe, and stops at the end of the image, so that nothing behind it
// (a second picture, a film) is kept.
func scanJPEG(b []byte) (*jpegFile, error) {
	if len(b) < 4 || b[0] != 0xFF || b[1] != mSOI {
		return nil, errJPEG
	}
	j := &jpegFile{adobe: -1, orientation: 1, clean: append(make([]byte, 0, len(b)), 0xFF, mSOI), iccParts: map[byte][]byte{}}
	for at := 2; !j.ended; {
		marker, next, ok := nextMarker(b, at)
		if !ok {
			break // the file ends without an end-of-image marker
		}
		var err error
		if at, err = j.marker(b, marker, next); err != nil {
			return nil, err
		}
	}
	if j.width == 0 {
		return nil, fmt.Errorf("%w: no frame", errJPEG)
	}
	j.clean = append(j.clean, 0xFF, mEOI)
	j.takeClaims()
	return j, nil
}

// marker takes a marker and its segment, which begins at at, and returns where it ends: a
// segment that leaves the file is the file's end.
func (j *jpegFile) marker(b []byte, marker byte, at int) (next int, err error) {
	switch {
	case marker == mEOI:
		j.ended = true
		return at, nil
	case marker >= 0xD0 && marker <= mSOI || marker == 0x01:
		return at, nil // stands alone, out of place
	case at+2 > len(b):
		return len(b), nil
	}
	n := int(binary.BigEndian.Uint16(b[at:]))
	if n < 2 || at+n > len(b) {
		return len(b), nil
	}
	segment, end := b[at-2:at+n], at+n
	if marker != mSOS {
		return end, j.segment(marker, segment)
	}
	if j.scans++; j.width == 0 || j.scans > maxScans {
		return 0, fmt.Errorf("%w: scan %d of at most %d, or before the frame", errJPEG, j.scans, maxScans)
	}
	next = entropyEnd(b, end)
	j.clean = append(append(j.clean, segment...), b[end:next]...)
	return next, nil
}

// segment keeps what is needed to decode, reads what is needed to show, and drops the rest.
func (j *jpegFile) segment(marker byte, segment []byte) error {
	body := segment[4:]
	switch {
	case isFrame(marker):
		if err := j.frame(marker, body); err != nil {
			return err
		}
		j.clean = append(j.clean, segment...)
	case marker == mDQT || marker == mDHT || marker == mDRI || marker == mDNL || marker == mDAC:
		j.clean = append(j.clean, segment...)
	case marker == mAPP0:
		j.jfif(body)
	case marker == mAPP14:
		j.adobeSegment(segment, body)
	case marker == mAPP1 && j.exif == nil && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
		j.exif = body[6:]
	case marker == mAPP2 && len(body) > 14 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")):
		j.iccParts[body[12]] = body[14:]
	case marker == mCOM || marker >= mAPP0 && marker <= mAPP15:
	default:
		return fmt.Errorf("%w: marker %02X", errJPEG, marker)
	}
	return nil
}

// nextMarker finds the next marker from at on and returns the position behind it. Bytes that
// belong to no segment are passed over, as every decoder does.
func nextMarker(b []byte, at int) (marker byte, next int, ok bool) {
	for {
		i := bytes.IndexByte(b[min(at, len(b)):], 0xFF)
		if i < 0 || at+i+1 >= len(b) {
			return 0, 0, false
		}
		at += i + 1
		if m := b[at]; m != 0x00 && m != 0xFF {
			return m, at + 1, true
		}
	}
}

// entropyEnd returns where the entropy-coded bytes from at on end: before the next marker
// that is neither a stuffed zero nor a restart.
func entropyEnd(b []byte, at int) int {
	for {
		i := bytes.IndexByte(b[at:], 0xFF)
		if i < 0 {
			return len(b)
		}
		if at+i+1 == len(b) {
			return at + i // half a marker
		}
		if m := b[at+i+1]; m != 0x00 && (m < 0xD0 || m > 0xD7) {
			return at + i
		}
		at += i + 2
	}
}

func isFrame(m byte) bool {
	return m >= 0xC0 && m <= 0xCF && m != mDHT && m != mDAC && m != mJPG
}

func (j *jpegFile) frame(marker byte, body []byte) error {
	if j.width != 0 {
		return fmt.Errorf("%w: two frames", errJPEG)
	}
	if len(body) < 6 || len(body) < 6+3*int(body[5]) {
		return fmt.Errorf("%w: frame header of %d bytes", errJPEG, len(body))
	}
	j.bits, j.components = int(body[0]), int(body[5])
	j.height, j.width = int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if j.width == 0 || j.height == 0 {
		return fmt.Errorf("%w: frame of %d × %d", errJPEG, j.width, j.height)
	}
	j.progressive = marker == 0xC2
	j.baselineLike = marker <= 0xC2
	j.rgbIDs = j.components == 3 && body[6] == 'R' && body[9] == 'G' && body[12] == 'B'
	return nil
}

// jfif keeps the segment's resolution and drops its thumbnail (JFIF 1.02).
func (j *jpegFile) jfif(body []byte) {
	if len(body) < 14 || string(body[:5]) != "JFIF\x00" || len(j.clean) > 2 {
		return // an extension, or out of place
	}
	j.clean = append(j.clean, 0xFF, mAPP0, 0, 16)
	j.clean = append(j.clean, body[:12]...)
	j.clean = append(j.clean, 0, 0)
	x, y := float64(binary.BigEndian.Uint16(body[8:])), float64(binary.BigEndian.Uint16(body[10:]))
	switch body[7] {
	case 1:
		j.dpiX, j.dpiY = x, y
	case 2:
		j.dpiX, j.dpiY = x*2.54, y*2.54
	}
}

func (j *jpegFile) adobeSegment(segment, body []byte) {
	if j.adobe >= 0 || len(body) < 12 || string(body[:5]) != "Adobe" {
		return
	}
	j.adobe = int(body[11])
	j.clean = append(j.clean, segment...)
}

// takeClaims reads what the metadata says about how to show the samples, before it is gone.
// The EXIF resolution counts where JFIF has none that can be believed.
func (j *jpegFile) takeClaims() {
	if j.exif != nil {
		o, x, y := exifClaims(j.exif)
		j.orientation = o
		if j.dpiX < 100 && x > 0 && y > 0 {
			j.dpiX, j.dpiY = x, y
		}
	}
	for i := 1; i <= len(j.iccParts); i++ {
		part, ok := j.iccParts[byte(i)]
		if !ok {
			j.icc = nil
			return
		}
		j.icc = append(j.icc, part...)
	}
}
