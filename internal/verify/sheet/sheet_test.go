package sheet

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/signer/validation"
)

var at = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func page(t testing.TB, number, width, height int, c color.Color) picture.Picture {
	t.Helper()
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, nil); err != nil {
		t.Fatal(err)
	}
	return picture.Picture{Number: number, JPEG: b.Bytes(), Width: width, Height: height}
}

// altered is the report on a copy of ours whose second page was replaced.
func altered(t testing.TB) (*verify.Report, *picture.Look) {
	check := func(id string, r validation.Result, vi, en string) validation.Check {
		return validation.Check{ID: id, Clause: "ETSI EN 319 102-1 §5.2", Result: r, VI: vi, EN: en}
	}
	sig := func(field, signer string, n int) validation.Signature {
		return validation.Signature{Field: field, SubFilter: "ETSI.CAdES.detached", Kind: validation.KindSignature, Level: validation.LevelLT, Signer: signer,
			Time: at.Add(-time.Duration(n) * time.Hour), TimeSource: validation.TimeFromTimestamp, Algorithm: "RSA 2048, SHA-256", Anchor: "Root CA quốc gia",
			ChangesAfter: validation.ChangesDisallowed, Changes: []string{"content of page 2"}, ChangesVI: []string{"nội dung trang 2"},
			Integrity: validation.Modified, Issuer: validation.Trusted, Indication: validation.TotalFailed, SubIndication: validation.HashFailure,
			Checks: []validation.Check{check("cms", validation.Passed, "Giá trị chữ ký khớp với các byte đã ký.", "The signature value fits the signed bytes."),
				check("changes", validation.Failed, "Nội dung trang 2 đã bị thay sau khi ký.", "The content of page 2 was replaced after signing.")}}
	}
	r := &verify.Report{File: "Giấy khai sinh – bản sao.pdf", SHA256: strings.Repeat("0123456789abcdef", 4), Size: 1234567,
		Indication: validation.TotalFailed, SubIndication: validation.HashFailure, Integrity: validation.Modified, Status: verify.Valid, Issuer: validation.Trusted,
		Origin: verify.Altered, Signatures: []validation.Signature{sig("NguoiChungThuc", "CN=Nguyễn Thị Ánh Tuyết,title=Chủ tịch,O=UBND xã Ân Tường Đông", 2), sig("CoQuanChungThuc", "CN=Ủy ban nhân dân xã Ân Tường Đông", 1)},
		Checks: []validation.Check{check("register", validation.Failed, "Tệp bắt đầu bằng bản đã ghi sổ nhưng phía sau có phần thêm vào không được phép.", "What follows the registered copy is not allowed.")},
		Copy: &verify.Copy{Number: 123, BookReference: "01/2026 - SCT/BS", Date: "2026-11-22", Agency: "Ủy ban nhân dân xã Ân Tường Đông", Province: "Gia Lai",
			Official: "Nguyễn Thị Ánh Tuyết", OfficialTitle: "CHỦ TỊCH", DocumentName: certcopy.Msg("Giấy khai sinh", "Birth certificate"),
			SHA256: strings.Repeat("fedcba9876543210", 4), RegisteredAt: at.Add(-30 * time.Minute)}}
	look := &picture.Look{Pages: 7, Steps: []picture.Step{{Span: picture.Span{Field: "CoQuanChungThuc", Class: validation.ChangesDisallowed}, Compared: 7, Differ: 1, Total: 7,
		Changes: []picture.Change{{Number: 2, Before: page(t, 2, 827, 1170, color.White), After: page(t, 2, 827, 1170, color.Gray{220}), Areas: []image.Rectangle{image.Rect(1, 2, 3, 4)}}}}}}
	for i := range 7 {
		look.Thumbnails = append(look.Thumbnails, page(t, i+1, 248, 351, color.White))
	}
	return r, look
}

func options() Options {
	return Options{At: at, Service: "https://saoy.example.vn", Anchors: []Anchor{{Name: "Root CA quốc gia", Fingerprint: strings.Repeat("ab", 32), From: at.AddDate(-1, 0, 0)}}}
}

func set(t testing.TB, r *verify.Report, l *picture.Look, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r, l, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// textOf reads the text back with a program that knows nothing of us.
func textOf(t *testing.T, file []byte) string {
	t.Helper()
	tool(t, "pdftotext")
	out, err := exec.Command("pdftotext", "-raw", save(t, fmt.Sprint(len(file), ".pdf"), file), "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func save(t *testing.T, name string, file []byte) string {
	dir := os.Getenv("SAOY_LOOK")
	if dir == "" {
		dir = t.TempDir()
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tool skips a test for want of a program, and fails it where all are required.
func tool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("SAOY_REQUIRE") == "all" {
		t.Fatalf("%s is missing", name)
	}
	t.Skipf("%s is missing", name)
}

func TestWhatTheSheetSays(t *testing.T) {
	r, l := altered(t)
	file := set(t, r, l, options())
	if !bytes.Equal(file, set(t, r, l, options())) {
		t.Error("the same report gives different bytes")
	}
	text := textOf(t, file)
	for _, want := range []string{Title, TitleEN, "https://saoy.example.vn", "16:00:00 22/11/2026", "Giấy khai sinh – bản sao.pdf", r.SHA256, "1.234.567 byte",
		"ĐÃ BỊ THÊM nội dung không được phép", "NOT ALLOWED WAS ADDED", "Đã bị thay đổi / Integrity: Modified", "TOTAL-FAILED / HASH_FAILURE",
		"nội dung trang 2 / content of page 2", "Không đạt – Nội dung trang 2 đã bị thay sau khi ký.", "NguoiChungThuc", "theo dấu thời gian",
		"Root CA quốc gia", strings.Repeat("ab", 32), "TRƯỚC (như khi ký)", "1 trang trông khác trước", "trang 1/", "không phải bản sao chứng thực"} {
		if !strings.Contains(text, want) {
			t.Errorf("the sheet does not say %q", want)
		}
	}
	if strings.Contains(text, "TRÌNH DIỄN") {
		t.Error("a real result says that it is a demonstration")
	}
	demonstration := options()
	demonstration.Demonstration = true
	if !strings.Contains(textOf(t, set(t, r, nil, demonstration)), "KHÔNG CÓ GIÁ TRỊ PHÁP LÝ") {
		t.Error("a demonstration does not say so")
	}
}

// TestStrangersTexts: names and reasons of strangers stay in their place whatever they hold.
func TestStrangersTexts(t *testing.T) {
	r, _ := altered(t)
	r.File = "a\u202Efdp.exe\x00\n\nKẾT LUẬN: ĐẠT 中文.pdf" + strings.Repeat("x", 5000)
	r.Signatures[0].Signer = strings.Repeat("Ậ ", 5000) + "\xff\xfe"
	r.Signatures[0].Field = ""
	for range 200 {
		r.Signatures = append(r.Signatures, r.Signatures[1])
	}
	text := textOf(t, set(t, r, nil, options()))
	if !strings.Contains(text, "afdp.exe? KẾT LUẬN: ĐẠT ??.pdfxxx") {
		t.Errorf("the name: %.400s", text)
	}
	if !strings.Contains(text, "chữ ký nữa") {
		t.Error("202 signatures in full")
	}
	empty := textOf(t, set(t, &verify.Report{}, &picture.Look{Incomplete: true}, Options{}))
	if !strings.Contains(empty, "Không có gốc tin cậy nào") || !strings.Contains(empty, "không có tên") {
		t.Errorf("an empty report: %s", empty)
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("Ủy ban 中 \u202e \xff")
	r, _ := altered(f)
	f.Fuzz(func(t *testing.T, text string) {
		r.File, r.Signatures[0].Signer = text, text
		set(t, r, nil, options())
	})
}

func BenchmarkWrite(b *testing.B) {
	r, l := altered(b)
	for b.Loop() {
		set(b, r, l, options())
	}
}
