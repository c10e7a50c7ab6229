// Package picture shows a signed file as it was when it was signed and as it is now: pages
// before and after each later addition, with what changed marked, and the codes that can
// only be seen.
//
// The file is a stranger's. It is drawn in a confined child process by package render, within
// limits of memory, time, pages and pictures; what the child had drawn when a limit ended it
// is still shown, and said to be incomplete. Pictures prove nothing: the verdict is that of
// signer/validation, which compares objects, and a page that looks the same may still differ.
package picture

import (
	"image"
	"io"

	"github.com/saoy/saoy/signer/validation"
)

// Limits of one look, in pages and pixels.
const (
	MaxCompared   = 60  // pages drawn in each state of the file
	MaxShown      = 6   // pages shown before and after, all steps together
	MaxThumbnails = 12  // pages shown as they are now
	Width         = 827 // of a page that is compared: A4 at 100 dpi
	ThumbWidth    = 248 // of a page that is only shown: A4 at 30 dpi
	maxSteps      = 6
)

// Ask says what is wanted.
type Ask struct {
	Steps []Span
	// Thumbnails is how many pages of the whole file are wanted, at most MaxThumbnails.
	Thumbnails int
}

// Empty reports whether there is nothing to draw.
func (a Ask) Empty() bool { return len(a.Steps) == 0 && a.Thumbnails == 0 }

// Span is one addition to a file: what came after a signature and before the next one, or
// the end. From and To are lengths of the file in bytes.
type Span struct {
	// Field is the signature's; Timestamp says that it is a document time-stamp.
	Field     string
	Timestamp bool
	// Class is what the validator says of what came after that signature; empty where it says
	// so of the next signature too, so that this addition by itself may be a sound one.
	Class    validation.ChangesAfter
	From, To int64
}

// Look is what was drawn.
type Look struct {
	// Pages is how many pages the whole file has.
	Pages      int
	Steps      []Step
	Thumbnails []Picture
	// Incomplete: a limit or the file's damage ended the drawing.
	Incomplete bool
}

// Step is what one addition changed to the eye.
type Step struct {
	Span
	// Compared pages were drawn before and after; Differ of them, or that were added or
	// removed, look different; Total is the larger number of pages.
	Compared, Differ, Total int
	Changes                 []Change
}

// Change is one page that looks different. Before or After is empty where it has no such page.
type Change struct {
	Number        int // from 1
	Before, After Picture
	// Areas are where the pictures differ, in pixels; they are drawn as red frames too.
	Areas []image.Rectangle
}

// Picture is a page as a JPEG.
type Picture struct {
	Number        int // of the page, from 1
	JPEG          []byte
	Width, Height int
}

// Exists reports whether there is a picture.
func (p Picture) Exists() bool { return len(p.JPEG) > 0 }

// Seen reports whether any step looks different.
func (l *Look) Seen() bool {
	for _, s := range l.Steps {
		if s.Differ > 0 {
			return true
		}
	}
	return false
}

// Spans returns the additions behind the signatures of a file of that size, oldest first.
// Signatures whose byte range is not sound have none; where there are many, the first and the
// newest are kept, and what lies between is one.
func Spans(signatures []validation.Signature, size int64) []Span {
	var spans []Span
	for _, s := range signatures {
		if !s.ByteRangeOK || len(s.ByteRange) != 4 || s.ChangesAfter == validation.ChangesNone {
			continue
		}
		end := s.ByteRange[2] + s.ByteRange[3]
		if end <= 0 || end >= size || len(spans) > 0 && end <= spans[len(spans)-1].From {
			continue
		}
		if n := len(spans); n > 0 {
			spans[n-1].To = end
		}
		spans = append(spans, Span{Field: s.Field, Timestamp: s.Kind == validation.KindDocTimestamp, Class: s.ChangesAfter, From: end, To: size})
	}
	for i := range max(0, len(spans)-1) {
		if spans[i].Class == spans[i+1].Class && spans[i].Class == validation.ChangesDisallowed {
			spans[i].Class = ""
		}
	}
	if cut := len(spans) - maxSteps; cut > 0 {
		spans[0].To = spans[cut+1].From
		spans = append(spans[:1], spans[cut+1:]...)
	}
	return spans
}

// AskFor asks for all that a report on the file shows.
func AskFor(signatures []validation.Signature, size int64, thumbnails int) Ask {
	return Ask{Steps: Spans(signatures, size), Thumbnails: min(thumbnails, MaxThumbnails)}
}

// readAll reads a file of bounded size into memory.
func readAll(r io.ReaderAt, size int64) ([]byte, error) {
	b := make([]byte, size)
	n, err := r.ReadAt(b, 0)
	if int64(n) == size {
		return b, nil
	}
	return nil, err
}
