package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
)

// Colour is a choice of colours for a page.
type Colour string

// The choices. NĐ 30/2020 Phụ lục I asks for colour, so the others are a clerk's act.
const (
	AsScanned Colour = ""
	Grey      Colour = "grey"
	Bilevel   Colour = "bilevel" // black and white, Group 4
)

// Edit is what a clerk asked to be done to a page as it was uploaded. The zero Edit is the
// page itself.
type Edit struct {
	// Turn is the number of quarter turns clockwise, 0 to 3; done after all else.
	Turn   int    `json:",omitempty"`
	Colour Colour `json:",omitempty"`
	// Quality is that of the JPEG the page becomes, 50 to 95; 0 keeps the samples as they are.
	Quality int `json:",omitempty"`
	// DPI reduces the page to so many dots per inch, at least 200, if it has more; 0 does not.
	DPI int `json:",omitempty"`
	// Frame straightens and crops.
	Frame Frame `json:",omitzero"`
}

// Limits of an Edit.
const (
	MinQuality = 50
	MaxQuality = 95
)

// samples reports whether the samples change.
func (e Edit) samples() bool { return e.Colour != AsScanned || e.Quality != 0 || e.DPI != 0 }

func (e Edit) check() error {
	switch {
	case e.Turn < 0 || e.Turn > 3, e.Colour != AsScanned && e.Colour != Grey && e.Colour != Bilevel,
		e.Quality != 0 && (e.Quality < MinQuality || e.Quality > MaxQuality), e.DPI != 0 && e.DPI < certcopy.MinDPI:
		return certcopy.Errorf(certcopy.Invalid, "edit", nil, certcopy.Msg("Thao tác sửa trang không hợp lệ. Hãy chọn lại.",
			"The change of the page is not valid. Choose again."))
	}
	return e.Frame.Check()
}

// Origin says where the page as it was uploaded lies, so that every edit can be taken back.
type Origin struct {
	Scan string // the scan that was uploaded
	Page int    // in it, from 0
}

const editTask = "intake-edit"

// editLimits bound the child that edits one page.
var editLimits = confine.Limits{Memory: 512 << 20, Output: 2 * certcopy.MaxUploadBytes, Time: time.Minute}

// Edit makes of a page as it was uploaded the page that e asks for. Its samples are decoded in
// a confined child, and not at all if they do not change. page is not changed.
//
// Errors: *certcopy.Error with code Invalid if e is not valid or the page cannot be decoded
// within the limits; ctx's error; anything else is ours.
func (in *Intake) Edit(ctx context.Context, page Page, e Edit) (Page, error) {
	if err := e.check(); err != nil {
		return page, err
	}
	if e.samples() || e.Frame != (Frame{}) {
		edited, err := in.editConfined(ctx, page, e)
		if err != nil {
			return page, err
		}
		page.Image, page.Look = edited.Image, edited.Look
	}
	turn := e.Turn
	e.Turn = 0
	page.Edit = e
	return page.Turned(turn), nil
}

func (in *Intake) editConfined(ctx context.Context, page Page, e Edit) (Page, error) {
	args, err := json.Marshal(e)
	if err != nil {
		return page, err
	}
	var input, output bytes.Buffer
	if _, err := writePage(&input, &page); err != nil {
		return page, err
	}
	call := confine.Call{Task: editTask, Args: args, Input: bytes.NewReader(input.Bytes()), Size: int64(input.Len()), Limits: editLimits}
	if err := in.runner.Run(ctx, call, &output); err != nil {
		return page, blame("", err)
	}
	edited, err := readPage(&output)
	if err != nil {
		return page, fmt.Errorf("intake: edited page: %w", err)
	}
	return edited, nil
}

// runEdit is the child's work: a page in, the edited page out.
func runEdit(_ context.Context, j confine.Job) error {
	var e Edit
	if err := json.Unmarshal(j.Args, &e); err != nil {
		return err
	}
	p, err := readPage(io.NewSectionReader(j.Input, 0, j.Size))
	if err != nil {
		return err
	}
	if err := p.edit(e); err != nil {
		return errDamaged("", err)
	}
	_, err = writePage(j.Output, &p)
	return err
}

// edit does to the samples what e asks, and looks at what its frame leaves of them.
func (p *Page) edit(e Edit) error {
	img, err := p.decode()
	if err != nil {
		return err
	}
	suggested := p.Look.Suggest
	if e.samples() {
		if img, err = p.resample(img, e); err != nil {
			return err
		}
	}
	if e.Frame != (Frame{}) {
		p.seeFramed(inkOf(img), e.Frame)
	}
	p.Look.Suggest = suggested
	return nil
}

// resample encodes the samples anew and returns them as they were encoded.
func (p *Page) resample(img image.Image, e Edit) (image.Image, error) {
	if by := float64(e.DPI) / p.Sheet.DPI; e.DPI > 0 && by < 1 {
		w, h := max(1, scaled(p.Width, by)), max(1, scaled(p.Height, by))
		img = reduce(img, w, h)
		p.DPIX, p.DPIY = p.DPIX*float64(w)/float64(p.Width), p.DPIY*float64(h)/float64(p.Height)
		p.Width, p.Height = w, h
	}
	p.Palette = nil
	return img, p.encodeAs(img, e)
}
