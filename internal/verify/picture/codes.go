package picture

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/multi/qrcode"

	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/render"
)

// Limits of looking for codes.
const (
	codePages = 6  // the first and the last ones: ours stand on the last page
	maxCodes  = 16 // different ones
	codeTime  = 8 * time.Second
	maxText   = 1 << 20
)

// codeWidths are what pages are drawn in to look for a QR: a small one on a large sheet
// needs many pixels, one in a blurred photograph is found sooner with few.
var codeWidths = []int{1240, 700}

// Codes returns the verification codes that a person sees in the file and a search of its
// bytes does not find: in a QR, or as text in whatever font. They are well-formed, but may be
// of no copy. What ends the child ends the search.
func (c Confined) Codes(ctx context.Context, r io.ReaderAt, size int64) ([]string, error) {
	out, err := c.run(ctx, readTask, request{Cache: c.Cache}, r, size)
	if err != nil && !fault(err) {
		return nil, fmt.Errorf("look for codes: %w", err)
	}
	codes := strings.Fields(out.String())
	return codes[:min(len(codes), maxCodes)], nil
}

func (c *child) codes(ctx context.Context, j confine.Job) error {
	var q request
	if err := json.Unmarshal(j.Args, &q); err != nil {
		return err
	}
	file, err := readAll(j.Input, j.Size)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, codeTime)
	defer cancel()
	var found []string
	return codesIn(ctx, c.renderer, file, func(code link.Code) error {
		if len(found) >= maxCodes || slices.Contains(found, code.String()) {
			return nil
		}
		found = append(found, code.String())
		_, err := fmt.Fprintln(j.Output, code)
		return err
	})
}

// codesIn looks at text and pictures of the first and last pages until ctx ends.
func codesIn(ctx context.Context, r *render.Renderer, file []byte, emit func(link.Code) error) error {
	doc, err := r.Open(ctx, file)
	if err != nil {
		return nil //nolint:nilerr // a file that cannot be drawn shows no code
	}
	defer doc.Close()
	for _, i := range pagesToRead(doc.Pages()) {
		if ctx.Err() != nil {
			return nil
		}
		text, _ := doc.Text(i) // a page without text is read by its picture
		codes := codesInText(text[:min(len(text), maxText)])
		for _, width := range codeWidths {
			if p, err := doc.Page(i, width); err == nil {
				codes = append(codes, codesInPicture(p)...)
			}
		}
		for _, code := range codes {
			if err := emit(code); err != nil {
				return err
			}
		}
	}
	return nil
}

// pagesToRead names the last pages, newest first, then the first ones.
func pagesToRead(pages int) []int {
	var order []int
	for i := range min(pages, codePages/2) {
		order = append(order, pages-1-i)
	}
	for i := range min(pages, codePages/2) {
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	return order
}

// printed is how a code is printed, between anything that belongs to no word; an address holds
// it without hyphens.
var printed = regexp.MustCompile(`(?:^|[^0-9A-Za-z-])([0-9A-Za-z]{4}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z])(?:[^0-9A-Za-z-]|$)|` +
	regexp.QuoteMeta(link.VerifyPath) + `([0-9A-Za-z]{17})(?:[^0-9A-Za-z]|$)`)

// codesInText returns the codes whose check character fits.
func codesInText(text string) []link.Code {
	var codes []link.Code
	for _, m := range printed.FindAllStringSubmatch(text, 4*maxCodes) {
		if code, err := link.ParseCode(m[1] + m[2]); err == nil {
			codes = append(codes, code)
		}
	}
	return codes
}

// codesInPicture returns the codes of the QRs in a picture; an identity card, for one, has a
// QR of its own beside ours.
func codesInPicture(p *image.RGBA) []link.Code {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(p)
	if err != nil {
		return nil
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	found, err := qrcode.NewQRCodeMultiReader().DecodeMultiple(bitmap, hints)
	if err != nil {
		return nil
	}
	var codes []link.Code
	for _, f := range found {
		codes = append(codes, codesInText(f.GetText())...)
	}
	return codes
}
