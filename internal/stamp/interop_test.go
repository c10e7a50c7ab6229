package stamp

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/signertest"
)

// office is a throw-away PKI with the two who sign a copy.
type office struct {
	pki               *signertest.PKI
	certifier, agency signer.Identity
	now               time.Time
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{now: time.Date(2026, time.February, 5, 9, 30, 0, 0, time.FixedZone("+07", 7*3600))}
	var err error
	if o.pki, err = signertest.NewPKI(signertest.Config{Clock: func() time.Time { return o.now }}); err != nil {
		t.Fatal(err)
	}
	for _, who := range []struct {
		profile signertest.Profile
		to      *signer.Identity
	}{
		{signertest.Official("Nguyễn Văn An", "Phó Chủ tịch", "Ủy ban nhân dân xã Ân Tường Đông", ""), &o.certifier},
		{signertest.Agency("Ủy ban nhân dân xã Ân Tường Đông", ""), &o.agency},
	} {
		leaf, err := o.pki.Issue(who.profile)
		if err != nil {
			t.Fatal(err)
		}
		*who.to = leaf.Identity
	}
	return o
}

// sign fills one of the fields.
func (o *office) sign(t testing.TB, base []byte, id signer.Identity, options pades.Options) []byte {
	t.Helper()
	options.SigningTime = o.now
	var out bytes.Buffer
	if _, err := pades.Sign(t.Context(), bytes.NewReader(base), int64(len(base)), &out, id, options, pades.Means{TimeStamper: o.pki}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// extend lifts both signatures to a level.
func (o *office) extend(t testing.TB, base []byte, level pades.Level) []byte {
	t.Helper()
	collect := func(_ context.Context, cert *x509.Certificate, _ []*x509.Certificate) (pades.ValidationData, error) {
		answer, err := o.pki.OCSPAnswer(cert)
		return pades.ValidationData{OCSPs: [][]byte{answer}, Certs: [][]byte{cert.Raw, o.pki.Issuing.Certificate.Raw,
			o.pki.Root.Certificate.Raw, o.pki.OCSP.Certificate.Raw}}, err
	}
	var out bytes.Buffer
	if err := pades.Extend(t.Context(), bytes.NewReader(base), int64(len(base)), &out, pades.ExtendOptions{
		Level: level, TimeStamper: o.pki, Collector: pades.CollectorFunc(collect)}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// stages are the forms a copy has in its life, by name.
func (o *office) stages(t testing.TB, stamped []byte) map[string][]byte {
	t.Helper()
	signed := o.sign(t, stamped, o.certifier, pades.Options{Field: CertifierField, Certify: 2, Name: "Nguyễn Văn An",
		Reason: "Chứng thực bản sao đúng với bản chính"})
	sealed := o.sign(t, signed, o.agency, pades.Options{Field: AgencyField, Name: "Ủy ban nhân dân xã Ân Tường Đông"})
	lt := o.extend(t, sealed, pades.BLT)
	return map[string][]byte{"stamped": stamped, "signed": signed, "sealed": sealed, "B-LT": lt, "B-LTA": o.extend(t, lt, pades.BLTA)}
}

// Every copy, of every size and at every stage up to B-LTA, is PDF/A-2b for veraPDF.
func TestInteropArchival(t *testing.T) {
	vera := tool(t, "verapdf")
	dir := t.TempDir()
	o := newOffice(t)
	later := Statutory()[0]
	later.Lines = []string{"Số chứng thực {number}/ĐT, quyển số {volume}/{year}", "{place}, ngày {day} tháng {month} năm {year}"}
	written := 0
	for name, sheets := range map[string][]sheet{
		"A4": {a4}, "A4 free": {a4Half}, "A4 twice": {a4, a4Half}, "A3 landscape": {a3WideHalf}, "A4 landscape": {a4Wide},
		"A5": {a5}, "A2": {a2}, "mixed": {a3Wide, a5, a2},
	} {
		for variant, change := range map[string]func(*Facts){
			"ordinary":      func(*Facts) {},
			"demonstration": func(f *Facts) { f.Demonstration, f.Template, f.Signature = true, later, nil },
		} {
			f := someFacts(t)
			change(&f)
			for stage, b := range o.stages(t, mustStamp(t, f, sheets...).PDF) {
				path := filepath.Join(dir, fmt.Sprintf("%s, %s, %s.pdf", name, variant, stage))
				if err := os.WriteFile(path, b, 0o600); err != nil {
					t.Fatal(err)
				}
				written++
			}
		}
	}
	out, err := exec.Command(vera, "-f", "2b", "--format", "text", "-r", dir).CombinedOutput()
	// The judge is awake: what intake makes is no PDF/A.
	clean, _ := cleanOf(t, a4)
	if out, err := exec.Command(vera, "-f", "2b", "--format", "text", file(t, "clean.pdf", clean)).CombinedOutput(); err == nil || !strings.Contains(string(out), "FAIL") {
		t.Errorf("a clean document passes (%v): %s", err, out)
	}
	if passed := strings.Count(string(out), "PASS "); err != nil || passed != written {
		t.Errorf("%d of %d files are PDF/A-2b (%v)\n%s", passed, written, err, out)
	}
}

// PDF/UA-1 asks for more than PDF/A-2b: all of it is there but the claim, which a document
// made of photographs should not make.
func TestInteropAccessibility(t *testing.T) {
	vera := tool(t, "verapdf")
	path := file(t, "copy.pdf", mustStamp(t, someFacts(t), a4, a4Half).PDF)
	out, _ := exec.Command(vera, "-f", "ua1", "--format", "text", "-v", path).CombinedOutput() // it exits with 1 for the claim
	var failed []string
	for l := range strings.Lines(string(out)) {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "FAIL ") && !strings.Contains(l, path) {
			failed = append(failed, l)
		}
	}
	if len(failed) != 1 || failed[0] != "FAIL 5-1" {
		t.Errorf("fails besides the claim (5-1):\n%s", out)
	}
}

// Other people's tools find nothing to repair at any stage, see both signatures as valid, and
// the fonts as embedded subsets.
func TestInteropTools(t *testing.T) {
	o := newOffice(t)
	for stage, b := range o.stages(t, mustStamp(t, someFacts(t), a4, a4Half).PDF) {
		path := file(t, "copy.pdf", b)
		if out := run(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") || strings.Contains(out, "WARNING") {
			t.Errorf("%s: qpdf: %s", stage, out)
		}
		if out := run(t, "pdffonts", path); strings.Count(out, "yes yes yes") != 3 {
			t.Errorf("%s: pdffonts: %s", stage, out)
		}
		if stage == "stamped" {
			continue
		}
		out := run(t, "pdfsig", "-nocert", path)
		want := map[string]int{"signed": 1, "sealed": 2, "B-LT": 2, "B-LTA": 2}[stage]
		if got := strings.Count(out, "Signature is Valid."); got != want {
			t.Errorf("%s: pdfsig finds %d valid signatures, want %d:\n%s", stage, got, want, out)
		}
	}
}

// A reader for phones can read the QR from a print of 150 dpi.
func TestInteropQR(t *testing.T) {
	f := someFacts(t)
	for _, sheets := range [][]sheet{{a4}, {a4Half}} {
		s := mustStamp(t, f, sheets...)
		path := file(t, "copy.pdf", s.PDF)
		page := fmt.Sprint(s.StatementPage + 1)
		image := filepath.Join(t.TempDir(), "page")
		run(t, "pdftoppm", "-r", "150", "-png", "-singlefile", "-f", page, "-l", page, path, image)
		out, err := exec.Command(tool(t, "zbarimg"), "-q", "--raw", image+".png").Output()
		if err != nil || strings.TrimSpace(string(out)) != f.VerifyURL {
			t.Errorf("read %q (%v), want %q", out, err, f.VerifyURL)
		}
	}
}
