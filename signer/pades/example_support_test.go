package pades_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"sync"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
)

// What the examples sign and sign with: a throwaway authority and a file of one page.

var exampleTime = time.Date(2026, 7, 1, 9, 0, 0, 0, time.FixedZone("", 7*3600))

var exampleAuthority = sync.OnceValue(func() *signertest.PKI {
	p, err := signertest.NewPKI(signertest.Config{Clock: func() time.Time { return exampleTime }, BaseURL: "http://pki.invalid"})
	if err != nil {
		panic(err)
	}
	return p
})

var exampleIdentity = sync.OnceValue(func() signer.Identity {
	leaf, err := exampleAuthority().Issue(signertest.Official("Nguyễn Văn An", "CHỦ TỊCH", "", ""))
	if err != nil {
		panic(err)
	}
	return leaf.Identity
})

var exampleCollector = pades.CollectorFunc(func(_ context.Context, cert *x509.Certificate, _ []*x509.Certificate) (pades.ValidationData, error) {
	answer, err := exampleAuthority().OCSPAnswer(cert)
	return pades.ValidationData{Certs: [][]byte{cert.Raw, exampleAuthority().Issuing.Certificate.Raw}, OCSPs: [][]byte{answer}}, err
})

func exampleDocument() []byte {
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	root, pages, page := w.Alloc(), w.Alloc(), w.Alloc()
	for _, err := range []error{
		w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", pages)}),
		w.Put(pages, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{page}), pdf.E("Count", pdf.Integer(1)), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842))}),
		w.Put(page, pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", pages), pdf.E("Resources", pdf.Dict{})}),
		w.Close(pdf.Dict{pdf.E("Root", root)}),
	} {
		if err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func exampleSigned() []byte {
	base := exampleDocument()
	var out bytes.Buffer
	_, err := pades.Sign(context.Background(), bytes.NewReader(base), int64(len(base)), &out, exampleIdentity(),
		pades.Options{SigningTime: exampleTime}, pades.Means{TimeStamper: exampleAuthority()})
	if err != nil {
		panic(err)
	}
	return out.Bytes()
}
