package verify

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
)

const testCode = "04HMASW9NF6YY0937"

// issued is the bytes of a copy: two revisions, its code in the metadata.
var issued = []byte("%PDF-1.7\n<saoy:verificationCode>04HM-ASW9-NF6Y-Y093-7</saoy:verificationCode>\n%%EOF\nsecond\n%%EOF\n")

// books is a register in memory.
type books struct {
	code, file map[certcopy.Digest]storage.PublicCopy
	err        error
}

func (b books) PublicByCode(_ context.Context, d certcopy.Digest) (storage.PublicCopy, error) {
	return b.get(b.code, d)
}
func (b books) PublicByFile(_ context.Context, d certcopy.Digest) (storage.PublicCopy, error) {
	return b.get(b.file, d)
}
func (b books) get(m map[certcopy.Digest]storage.PublicCopy, d certcopy.Digest) (storage.PublicCopy, error) {
	if c, ok := m[d]; ok || b.err != nil {
		return c, b.err
	}
	return storage.PublicCopy{}, storage.ErrNotFound
}

func sampleCopy() storage.PublicCopy {
	return storage.PublicCopy{
		ID: "c", State: certcopy.Released, Agency: certcopy.Agency{ID: "an-tuong-dong", Name: "Ủy ban nhân dân xã Ân Tường Đông"},
		Number:   certcopy.Number{Book: "SCT/BS", Year: 2026, Seq: 123, Volume: 1, Date: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)},
		Official: certcopy.Official{Name: "Nguyễn Văn An", Title: "CHỦ TỊCH"}, DocumentType: "khac", DocumentName: certcopy.Msg("Khác", "Other"),
		File: certcopy.FinalFile{Digest: certcopy.DigestOf(issued), Size: int64(len(issued)), Pages: 1, Level: "B-LT"},
	}
}

func registerOf(c storage.PublicCopy) books {
	code, err := link.ParseCode(testCode)
	if err != nil {
		panic(err)
	}
	return books{code: map[certcopy.Digest]storage.PublicCopy{code.Hash(): c}, file: map[certcopy.Digest]storage.PublicCopy{c.File.Digest: c}}
}

// passing is what the validator says of a sound copy, with so many time-stamps behind it.
func passing(stamps int) *validation.Report {
	r := &validation.Report{Indication: validation.TotalPassed, Integrity: validation.Intact, Issuer: validation.Trusted, Status: validation.StatusNotChecked}
	for _, f := range []string{"Nguoi", "CoQuan"} {
		r.Signatures = append(r.Signatures, validation.Signature{Field: f, Kind: validation.KindSignature, ChangesAfter: validation.ChangesAllowed})
	}
	for i := range stamps {
		r.Signatures = append(r.Signatures, validation.Signature{Field: fmt.Sprint("T", i), Kind: validation.KindDocTimestamp})
	}
	return r
}

// fixed examines for real but for the signatures, of which it says what it was told.
type fixed struct{ r *validation.Report }

func (f fixed) Examine(ctx context.Context, name string, r io.ReaderAt, size int64) (*Examination, error) {
	return examine(ctx, name, r, size, func(context.Context, io.ReaderAt, int64) (*validation.Report, error) {
		c := *f.r
		return &c, nil
	})
}

func verifierOf(b Register, r *validation.Report) *Verifier {
	return &Verifier{Register: b, Examiner: fixed{r}, CertifierField: "Nguoi", AgencyField: "CoQuan"}
}

func TestFiles(t *testing.T) {
	annulled, void, erased := sampleCopy(), sampleCopy(), sampleCopy()
	annulled.State, annulled.DecisionNumber = certcopy.Annulled, "45/QĐ-UBND"
	void.State = certcopy.Void
	erased.ErasedAt = time.Now()
	swapped, three, changed, failing := passing(0), passing(0), passing(1), passing(0)
	swapped.Signatures[0], swapped.Signatures[1] = swapped.Signatures[1], swapped.Signatures[0]
	three.Signatures = append(three.Signatures, validation.Signature{Field: "X", Kind: validation.KindSignature})
	changed.Signatures[0].ChangesAfter = validation.ChangesDisallowed
	failing.Indication, failing.SubIndication, failing.Integrity = validation.TotalFailed, validation.HashFailure, validation.Broken
	more := append(bytes.Clone(issued), "more\n%%EOF\n"...)
	flipped := bytes.Clone(issued)
	flipped[len(flipped)-9] ^= 1
	stranger := []byte("%PDF-1.7\n%%EOF\n")

	for _, c := range []struct {
		name   string
		file   []byte
		says   *validation.Report
		copy   storage.PublicCopy
		good   bool
		status Status
		origin Origin
		ind    validation.Indication
		integ  validation.Integrity
	}{
		{"as issued", issued, passing(0), sampleCopy(), true, Valid, AsIssued, validation.TotalPassed, validation.Intact},
		{"extended", more, passing(1), sampleCopy(), true, Valid, Extended, validation.TotalPassed, validation.Intact},
		{"a third signature", more, three, sampleCopy(), false, Valid, Altered, validation.TotalFailed, validation.Modified},
		{"a change that is not allowed", more, changed, sampleCopy(), false, Valid, Altered, validation.TotalFailed, validation.Modified},
		{"signatures exchanged", issued, swapped, sampleCopy(), false, Valid, AsIssued, validation.TotalFailed, validation.Broken},
		{"a signature that fails", issued, failing, sampleCopy(), false, Valid, AsIssued, validation.TotalFailed, validation.Broken},
		{"annulled", issued, passing(0), annulled, false, Annulled, AsIssued, validation.TotalPassed, validation.Intact},
		{"void", issued, passing(0), void, false, Void, AsIssued, validation.TotalPassed, validation.Intact},
		{"erased", issued, passing(0), erased, false, Erased, AsIssued, validation.TotalPassed, validation.Intact},
		{"a byte changed, signatures of a forger", flipped, passing(0), sampleCopy(), false, Unknown, Pretends, validation.TotalFailed, validation.Modified},
		{"a stranger's file", stranger, passing(0), sampleCopy(), false, Unknown, "", validation.TotalPassed, validation.Intact},
	} {
		r, err := verifierOf(registerOf(c.copy), c.says).File(context.Background(), "f.pdf", bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if r.Good() != c.good || r.Status != c.status || r.Origin != c.origin || r.Indication != c.ind || r.Integrity != c.integ {
			t.Errorf("%s: good=%v %s %q %s %s", c.name, r.Good(), r.Status, r.Origin, r.Indication, r.Integrity)
		}
		if r.SHA256 != certcopy.DigestOf(c.file).String() {
			t.Errorf("%s: digest %s", c.name, r.SHA256)
		}
		if c.name != "a stranger's file" && (r.Copy == nil || r.Copy.Number != 123) {
			t.Errorf("%s: copy %+v", c.name, r.Copy)
		}
	}
}

func TestFileWithoutRegister(t *testing.T) {
	r, err := verifierOf(nil, passing(0)).File(context.Background(), "f.pdf", bytes.NewReader(issued), int64(len(issued)))
	if err != nil || r.Status != StatusNotChecked || r.Indication != validation.TotalPassed || r.Good() {
		t.Errorf("%v %+v", err, r)
	}
}

// A code that this register does not know: of another installation if those who are trusted
// have signed the file, a pretence if not.
func TestUnknownCode(t *testing.T) {
	file := []byte("%PDF-1.7 https://x.vn/v/" + testCode + " %%EOF")
	untrusted := passing(0)
	untrusted.Indication, untrusted.Issuer = validation.Indeterminate, validation.Untrusted
	for name, c := range map[string]struct {
		says   *validation.Report
		origin Origin
		ind    validation.Indication
	}{
		"signed by the trusted": {passing(0), "", validation.TotalPassed},
		"signed by a stranger":  {untrusted, Pretends, validation.TotalFailed},
	} {
		r, err := verifierOf(books{}, c.says).File(context.Background(), "f.pdf", bytes.NewReader(file), int64(len(file)))
		if err != nil || r.Origin != c.origin || r.Copy != nil || r.Indication != c.ind || r.Status != Unknown || r.Good() {
			t.Errorf("%s: %v %+v", name, err, r)
		}
	}
}

func TestRegisterThatDoesNotAnswer(t *testing.T) {
	v := verifierOf(books{err: storage.ErrUnavailable}, passing(0))
	if _, err := v.File(context.Background(), "f", bytes.NewReader(issued), int64(len(issued))); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("file: %v", err)
	}
	if _, err := v.Digest(context.Background(), certcopy.DigestOf(issued)); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("digest: %v", err)
	}
}

func TestCodesAreNeverGood(t *testing.T) {
	code, _ := link.ParseCode(testCode)
	v := verifierOf(registerOf(sampleCopy()), nil)
	r, err := v.Code(context.Background(), code)
	if err != nil || r.Good() || r.Status != Valid || r.Integrity != validation.IntegrityNotChecked || r.Copy == nil || r.SHA256 != "" {
		t.Errorf("%v %+v", err, r)
	}
	other, _ := link.NewCode(strings.NewReader("another ten"))
	if _, err := v.Code(context.Background(), other); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("unknown code: %v", err)
	}
}

func TestDigests(t *testing.T) {
	v := verifierOf(registerOf(sampleCopy()), nil)
	r, err := v.Digest(context.Background(), certcopy.DigestOf(issued))
	if err != nil || r.Good() || r.Integrity != validation.Intact || r.Origin != AsIssued {
		t.Errorf("%v %+v", err, r)
	}
	r, err = v.Digest(context.Background(), certcopy.DigestOf([]byte("x")))
	if err != nil || r.Status != Unknown || r.Copy != nil {
		t.Errorf("%v %+v", err, r)
	}
}

func TestTooLarge(t *testing.T) {
	_, err := verifierOf(nil, passing(0)).File(context.Background(), "f", bytes.NewReader(nil), MaxFileBytes+1)
	if certcopy.CodeOf(err) != certcopy.Invalid {
		t.Error(err)
	}
}

func TestPrefixes(t *testing.T) {
	for _, b := range []string{"a%%EOF\nb%%EOF\r\nc%%EOF", "%%EOF", "%%EOF\n", "none", "", "%%EOF%%EOF%%EOF\r", strings.Repeat("x%%EOF\n", 200)} {
		whole, prefixes := digests([]byte(b))
		if whole != certcopy.DigestOf([]byte(b)) {
			t.Errorf("%q: digest of the whole", b)
		}
		last := int64(len(b))
		for _, p := range prefixes {
			if p.Length >= last || p.Digest != certcopy.DigestOf([]byte(b)[:p.Length]) {
				t.Errorf("%q: prefix of %d", b, p.Length)
			}
			last = p.Length
		}
		if len(prefixes) > maxPrefixes {
			t.Errorf("%q: %d prefixes", b, len(prefixes))
		}
	}
	// The registered bytes are found whichever end of line their writer left.
	_, prefixes := digests([]byte("a%%EOF\r\nmore"))
	if len(prefixes) != 3 || prefixes[0].Length != 8 || prefixes[2].Length != 6 {
		t.Errorf("%+v", prefixes)
	}
}

func TestCodesInFiles(t *testing.T) {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	fmt.Fprint(z, "/URI (https://saoy.example.vn/v/"+testCode+")")
	z.Close()
	bomb := new(bytes.Buffer)
	z = zlib.NewWriter(bomb)
	_, _ = z.Write(make([]byte, 64<<20))
	z.Close()
	for name, c := range map[string]struct {
		file string
		want int
	}{
		"metadata": {string(issued), 1}, "address": {"x http://a/v/" + testCode + "?lang=vi", 1}, "twice": {"/v/" + testCode + " /v/" + testCode, 1},
		"packed": {"4 0 obj<<>>stream\r\n" + packed.String() + "\nendstream", 1}, "packed, line feed": {"stream\n" + packed.String(), 1},
		"no code": {"/v/short /v/" + testCode + "X", 0}, "bomb": {strings.Repeat("stream\n"+bomb.String(), 40), 0}, "stream at the end": {"stream", 0}, "empty": {"", 0},
	} {
		start := time.Now()
		if got := codesIn([]byte(c.file)); len(got) != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func FuzzExamine(f *testing.F) {
	f.Add(issued)
	f.Add([]byte("stream\nx%%EOF\r\n%%EOF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, prefixes := digests(b)
		if whole != certcopy.DigestOf(b) {
			t.Fatal("digest of the whole")
		}
		for _, p := range prefixes {
			if p.Digest != certcopy.DigestOf(b[:p.Length]) {
				t.Fatalf("prefix of %d", p.Length)
			}
		}
		codesIn(b)
	})
}
