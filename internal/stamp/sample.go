package stamp

import (
	"bytes"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
)

// sampleText marks a page that shows how a statement would look.
const sampleText = "XEM THỬ – KHÔNG PHẢI BẢN SAO"

// Sample returns one page, PDF of A4, with the statement as it would be printed with the widest
// number a book can give, marked as no copy on its whole face. Facts need neither number nor
// title. What cannot be set on a copy cannot be set here: the errors are those of Stamp.
func Sample(f Facts) ([]byte, error) {
	f, err := f.widest(rehearsalDay(f)).prepared()
	if err != nil {
		return nil, err
	}
	b, err := newBlock(f)
	if err != nil {
		return nil, err
	}
	id, err := fileID(certcopy.Digest{}, f, sample)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	d := &document{w: newOutput(&out), facts: f, mode: sample, block: b, structure: newStructure(), id: id}
	if err := d.write(nil, place(b, f.Template, []certcopy.Page{{Width: a4Width, Height: a4Height}})); err != nil {
		return nil, fmt.Errorf("stamp: %w", err)
	}
	return out.Bytes(), nil
}
