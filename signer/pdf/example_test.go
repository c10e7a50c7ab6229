package pdf_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"

	"github.com/saoy/saoy/signer/pdf"
)

// A file is written, read, and updated: what was there stays, byte for byte, and what is new
// follows.
func Example() {
	var file bytes.Buffer
	w := pdf.NewWriter(&file, "1.7")
	root, pages := w.Alloc(), w.Alloc()
	err := errors.Join(
		w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", pages)}),
		w.Put(pages, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{}), pdf.E("Count", pdf.Integer(0))}),
		w.Close(pdf.Dict{pdf.E("Root", root)}))
	if err != nil {
		log.Fatal(err)
	}

	r, err := pdf.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), pdf.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	ref, catalog, err := r.Catalog()
	if err != nil {
		log.Fatal(err)
	}
	u := pdf.NewUpdate(r)
	changed := catalog.Clone()
	changed.Set("Lang", pdf.Text("vi"))
	u.Set(ref, changed)
	increment, err := u.Increment()
	if err != nil {
		log.Fatal(err)
	}
	longer := append(file.Bytes(), increment.Bytes...)
	r, err = pdf.Open(bytes.NewReader(longer), int64(len(longer)), pdf.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	_, catalog, err = r.Catalog()
	fmt.Println(len(r.Sections()), catalog.Has("Lang"), r.Check(), err)

	_, err = pdf.Open(bytes.NewReader(longer[:100]), 100, pdf.Limits{})
	fmt.Println(errors.Is(err, pdf.ErrDamaged))
	// Output:
	// 2 true <nil> <nil>
	// true
}
