//go:build nodynamic

package intake

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/gen2brain/heic"
	"github.com/saoy/saoy/internal/certcopy"
)

// The decoder is libheif in WebAssembly. Without the build tag the module would look for a
// native libheif when the program starts, in the process that holds keys; so without it there
// is no HEIC.

const readsHEIC = true

func prepareHEIC() error {
	heic.Init()
	return nil
}

// readHEIC makes the page of a HEIC picture as a JPEG. Its own rotation is applied by the
// decoder, as ISO/IEC 23008-12 §6.5.10 wants, and the EXIF orientation is not.
func readHEIC(name string, b []byte) (Page, error) {
	img, err := heic.Decode(bytes.NewReader(b))
	if err != nil {
		return Page{}, errDamaged(name, err)
	}
	r := img.Bounds()
	if r.Empty() {
		return Page{}, errDamaged(name, errors.New("empty picture"))
	}
	if int64(r.Dx())*int64(r.Dy()) > certcopy.MaxImagePixels {
		return Page{}, errPixels(name, int64(r.Dx()), int64(r.Dy()))
	}
	p := Page{Image: Image{Width: r.Dx(), Height: r.Dy(), Orientation: 1}}
	components := 3
	if isGrey(img) {
		components = 1
	}
	return p, p.reencode(img, orIdentity(colorsOf(heicProfile(b), components)))
}

// heicProfile finds the ICC profile in a colour information box ("colr", type "prof"). The
// profile begins with its own length.
func heicProfile(b []byte) []byte {
	head := b[:min(len(b), 1<<20)]
	i := bytes.Index(head, []byte("colrprof"))
	if i < 0 || i+12 > len(head) {
		return nil
	}
	profile := head[i+8:]
	n := binary.BigEndian.Uint32(profile)
	if uint64(n) > uint64(len(profile)) {
		return nil
	}
	return profile[:n]
}
