package render

import (
	"fmt"

	"github.com/klippa-app/go-pdfium/requests"
)

// Text returns the text layer of page i, from 0: what a reader can select and copy, which need
// not be what is seen.
func (d *Document) Text(i int) (string, error) {
	t, err := d.machine.GetPageText(&requests.GetPageText{Page: d.page(i)})
	if err != nil {
		return "", fmt.Errorf("%w: text of page %d: %w", ErrDamaged, i+1, err)
	}
	return t.Text, nil
}
