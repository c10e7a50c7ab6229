package verify

import (
	"bytes"
	"context"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

var signingTime = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// press makes signed copies with a throwaway authority.
type press struct {
	t         *testing.T
	pki       *signertest.PKI
	collector pades.Collector
}

// inProcess answers the authority's addresses without a network.
type inProcess struct{ h http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.h.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}

func newPress(t *testing.T) *press {
	clock := func() time.Time { return signingTime }
	pki, err := signertest.NewPKI(signertest.Config{Clock: clock, BaseURL: "http://pki.invalid"})
	if err != nil {
		t.Fatal(err)
	}
	source := trust.NewSource(trust.NewFetcher(trust.FetcherConfig{Transport: inProcess{pki.Handler()}}), true)
	c := &trust.Collector{Validator: trust.Validator{Store: trust.NewStoreOf(pki.Anchors()...), Source: source}, Clock: clock}
	return &press{t, pki, pades.CollectorFunc(func(ctx context.Context, cert *x509.Certificate, others []*x509.Certificate) (pades.ValidationData, error) {
		d, err := c.Collect(ctx, cert, others)
		return pades.ValidationData{Certs: d.Certs, OCSPs: d.OCSPs, CRLs: d.CRLs}, err
	})}
}

func (p *press) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *press) identity(f signertest.Profile) signer.Identity {
	l, err := p.pki.Issue(f)
	p.must(err)
	return l.Identity
}

// page is a file of one page that shows a text.
func (p *press) page(text string) []byte {
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	root, pages, page, content := w.Alloc(), w.Alloc(), w.Alloc(), w.Alloc()
	p.must(w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", pages)}))
	p.must(w.Put(pages, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{page}), pdf.E("Count", pdf.Integer(1)), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842))}))
	p.must(w.Put(page, pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", pages), pdf.E("Resources", pdf.Dict{}), pdf.E("Contents", content)}))
	p.must(w.Put(content, pdf.NewStream(nil, []byte(text+" /v/"+testCode+"\n"))))
	p.must(w.Close(pdf.Dict{pdf.E("Root", root)}))
	return b.Bytes()
}

func (p *press) sign(base []byte, id signer.Identity, o pades.Options) []byte {
	p.t.Helper()
	o.SigningTime = signingTime
	var out bytes.Buffer
	_, err := pades.Sign(p.t.Context(), bytes.NewReader(base), int64(len(base)), &out, id, o, pades.Means{TimeStamper: p.pki})
	p.must(err)
	return out.Bytes()
}

func (p *press) extend(base []byte, l pades.Level) []byte {
	p.t.Helper()
	var out bytes.Buffer
	p.must(pades.Extend(p.t.Context(), bytes.NewReader(base), int64(len(base)), &out, pades.ExtendOptions{Level: l, TimeStamper: p.pki, Collector: p.collector}))
	return out.Bytes()
}

// copyOf signs as the office does: certification, seal, validation data.
func (p *press) copyOf(text string) []byte {
	p.t.Helper()
	signed := p.sign(p.page(text), p.identity(signertest.Official("Nguyễn Văn An", "CHỦ TỊCH", "UBND xã", "CCCD:0")), pades.Options{Field: "Nguoi", Certify: 2})
	sealed := p.sign(signed, p.identity(signertest.Agency("UBND xã Ân Tường Đông", "MST:0")), pades.Options{Field: "CoQuan", Lock: &pades.Lock{Action: pades.LockAll}})
	return p.extend(sealed, pades.BLT)
}

// replacePage appends an update that shows another page.
func (p *press) replacePage(base []byte) []byte {
	r, err := pdf.Open(bytes.NewReader(base), int64(len(base)), pdf.Limits{})
	p.must(err)
	u := pdf.NewUpdate(r)
	u.Set(pdf.Ref{Number: 4}, pdf.NewStream(nil, []byte("forged")))
	inc, err := u.Increment()
	p.must(err)
	return append(bytes.Clone(base), inc.Bytes...)
}

// TestRealCopies sends really signed files the whole way, through the confined child.
func TestRealCopies(t *testing.T) {
	p := newPress(t)
	file := p.copyOf("certified")
	c := sampleCopy()
	c.File.Digest, c.File.Size = certcopy.DigestOf(file), int64(len(file))
	examiner := confined()
	examiner.Anchors = trust.NewStoreOf(p.pki.Anchors()...)
	v := &Verifier{Register: registerOf(c), Examiner: examiner, CertifierField: "Nguoi", AgencyField: "CoQuan"}
	check := func(name string, b []byte) *Report {
		t.Helper()
		r, err := v.File(t.Context(), name, bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return r
	}

	if r := check("as issued", file); !r.Good() || r.Origin != AsIssued || len(r.Signatures) != 2 || r.Signatures[0].Level != validation.LevelLT {
		t.Errorf("as issued: %+v", r)
	}
	archived := p.extend(file, pades.BLTA)
	if r := check("archived", archived); !r.Good() || r.Origin != Extended || len(r.Signatures) != 3 {
		t.Errorf("archived: %s %s %q %+v", r.Indication, r.SubIndication, r.Origin, r.Checks)
	}
	if r := check("renewed", p.extend(archived, pades.BLTA)); !r.Good() || r.Origin != Extended {
		t.Errorf("renewed: %s %s %q", r.Indication, r.SubIndication, r.Origin)
	}
	for name, b := range map[string][]byte{
		"page replaced":           p.replacePage(file),
		"page replaced, archived": p.replacePage(archived),
		"junk behind":             append(bytes.Clone(file), "\nmore\n%%EOF\n"...),
		"cut":                     file[:len(file)-20],
		"another copy":            p.copyOf("forged"),
		"nothing":                 nil,
	} {
		if r := check(name, b); r.Good() || r.Indication == validation.TotalPassed {
			t.Errorf("%s passed: %s %q", name, r.Indication, r.Origin)
		}
	}
	if r := check("another copy", p.copyOf("forged")); r.Origin != Pretends {
		t.Errorf("signed as ours and not ours: %q", r.Origin)
	}
	// In this process, because so many children would take long.
	v.Examiner = Direct{validation.Options{At: signingTime, Anchors: examiner.Anchors}}
	// The last time-stamp's token is the one thing nothing after it protects: the certificates
	// in its bag may be changed without harm to what it proves.
	last := check("archived", archived).Signatures[2].ByteRange
	for at := 0; at < len(archived); at += 499 {
		if int64(at) >= last[1] && int64(at) < last[2] {
			continue
		}
		b := bytes.Clone(archived)
		b[at] ^= 1
		if r := check("a changed byte", b); r.Good() {
			t.Errorf("byte %d of %d changed and not seen: %q", at, len(archived), r.Origin)
		}
	}
}
