package validation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

// A signed file, and the same file with a byte changed. Both are answered by a report; an
// error would mean that the file could not be read at all.
func ExampleFile() {
	pki, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		log.Fatal(err)
	}
	official, err := pki.Issue(signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Ân Tường Đông", ""))
	if err != nil {
		log.Fatal(err)
	}
	base := onePage()
	var signed bytes.Buffer
	if _, err := pades.Sign(context.Background(), bytes.NewReader(base), int64(len(base)), &signed, official.Identity,
		pades.Options{SigningTime: time.Now()}, pades.Means{}); err != nil {
		log.Fatal(err)
	}
	changed := bytes.Clone(signed.Bytes())
	changed[bytes.Index(changed, []byte("/MediaBox"))+12] ^= 1

	anchors := trust.NewStoreOf(pki.Anchors()...)
	for _, file := range [][]byte{signed.Bytes(), changed} {
		report, err := validation.File(context.Background(), bytes.NewReader(file), int64(len(file)), validation.Options{At: time.Now(), Anchors: anchors})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Indication, report.SubIndication, report.Integrity)
	}
	// Output:
	// INDETERMINATE TRY_LATER intact
	// TOTAL-FAILED HASH_FAILURE broken
}

// onePage is a file of one empty page.
func onePage() []byte {
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	root, pages, page := w.Alloc(), w.Alloc(), w.Alloc()
	if err := errors.Join(
		w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", pages)}),
		w.Put(pages, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{page}), pdf.E("Count", pdf.Integer(1))}),
		w.Put(page, pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", pages), pdf.E("Resources", pdf.Dict{}), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842))}),
		w.Close(pdf.Dict{pdf.E("Root", root)})); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}
