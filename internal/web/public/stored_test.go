package public

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
)

// judge examines every file as it was told to, and counts.
type judge struct {
	mu    sync.Mutex
	found validation.Report // guarded by mu
	err   error             // guarded by mu
	asked int               // guarded by mu
}

func (j *judge) Examine(_ context.Context, name string, r io.ReaderAt, size int64) (*verify.Examination, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked++
	b := make([]byte, size)
	if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
		return nil, err
	}
	rep := j.found
	return &verify.Examination{Digest: certcopy.DigestOf(b), Size: size, Report: &rep}, j.err
}

func (j *judge) say(change func(*validation.Report)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.found = passed()
	change(&j.found)
}

const (
	officialDN = `UID=CCCD:052190001234,CN=Nguyễn Văn An,title=Chủ tịch,serialNumber=PNOVN-052190001234,emailAddress=an@example.vn,1.3.6.1.5.5.7.9.1=19700101,C=VN`
	agencyDN   = `UID=MST:4101234567,O=Ủy ban nhân dân xã Ân Tường Đông,C=VN`
)

// passed is a report of both signatures, whose certificates name people as real ones do.
func passed() validation.Report {
	one := func(field, dn string) validation.Signature {
		return validation.Signature{Field: field, Kind: validation.KindSignature, Signer: dn, Time: time.Unix(1_800_000_000, 0),
			Path:   []validation.Certificate{{Subject: dn, Issuer: "CN=CA"}},
			Checks: []validation.Check{{ID: "x", VI: "Chứng thư của CCCD:052190001234", EN: "Certificate of CCCD:052190001234"}}}
	}
	return validation.Report{Indication: validation.TotalPassed, Integrity: validation.Intact, Issuer: validation.Trusted,
		Signatures: []validation.Signature{one("A", officialDN), one("B", agencyDN)}}
}

func judged(t *testing.T) (*world, *judge, issuedCopy, string) {
	j, files := &judge{found: passed()}, vault{}
	w := newWorld(t, func(c *Config) { c.Files, c.Verifier.Examiner = files, j })
	i := w.issue(certcopy.Released)
	files[certcopy.DigestOf(i.file)] = i.file
	return w, j, i, "/s/" + w.share(i, 30).Reveal()
}

// TestSharedVerdictsAreComputed: the page of a link is as green as the stored file really is.
func TestSharedVerdictsAreComputed(t *testing.T) {
	for name, c := range map[string]struct {
		found func(*validation.Report)
		green bool
		want  string
	}{
		"good":          {func(*validation.Report) {}, true, "Nguyên vẹn"},
		"untrusted":     {func(r *validation.Report) { r.Issuer, r.Indication = validation.Untrusted, validation.Indeterminate }, false, "Không tin cậy"},
		"issuer only":   {func(r *validation.Report) { r.Issuer = validation.Undetermined }, false, "Chưa xác định"},
		"modified":      {func(r *validation.Report) { r.Integrity, r.Indication = validation.Modified, validation.TotalFailed }, false, "Đã bị thay đổi"},
		"one signature": {func(r *validation.Report) { r.Signatures = r.Signatures[:1] }, false, "Chữ ký hỏng"},
		"not examinable": {func(r *validation.Report) {
			r.Integrity, r.Indication = validation.IntegrityNotChecked, validation.TotalFailed
		}, false, "Chưa kiểm tra"},
		"no signature":    {func(r *validation.Report) { r.Indication, r.Signatures = validation.NoSignature, nil }, false, "KHÔNG đạt"},
		"wrong order too": {func(r *validation.Report) { r.Signatures[0].Field = "B" }, false, "Chữ ký hỏng"},
	} {
		t.Run(name, func(t *testing.T) {
			w, j, _, at := judged(t)
			j.say(c.found)
			rec := w.get(at)
			w.expect(rec, 200, []string{c.want, at + "/file", `class="verdict `})
			if strings.Contains(rec.Body.String(), green) != c.green {
				t.Errorf("green: %v\n%s", !c.green, rec.Body)
			}
		})
	}
}

// TestSharedVerdictsAreKept: a file is examined once an hour, one that did not pass once a
// minute; what the register says is asked every time.
func TestSharedVerdictsAreKept(t *testing.T) {
	w, j, i, at := judged(t)
	for range 3 {
		w.expect(w.get(at), 200, []string{green})
	}
	if j.asked != 1 {
		t.Errorf("examined %d times", j.asked)
	}
	w.wait(keepPassed)
	j.say(func(r *validation.Report) { r.Issuer, r.Indication = validation.Untrusted, validation.TotalFailed })
	w.expect(w.get(at), 200, nil, green)
	j.say(func(*validation.Report) {})
	w.expect(w.get(at), 200, nil, green)
	w.wait(keepOther)
	w.expect(w.get(at), 200, []string{green})
	if j.asked != 3 {
		t.Errorf("examined %d times", j.asked)
	}
	_, err := w.store.Annul(t.Context(), i.id, w.office.Decision(), w.leaf(i, storage.LeafAnnul))
	w.must(err)
	w.expect(w.get(at), 200, []string{"HỦY BỎ GIÁ TRỊ PHÁP LÝ", "notice bad head"}, green, `verdict ok`)
}

func TestSharedStoreFails(t *testing.T) {
	for name, files := range map[string]Files{"lost": vault{}, "down": brokenVault{}} {
		w := newWorld(t, func(c *Config) { c.Files = files })
		at := "/s/" + w.share(w.issue(certcopy.Released), 30).Reveal()
		if rec := w.get(at); rec.Code < 500 {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	w, j, _, at := judged(t)
	j.err = fmt.Errorf("no child could be started")
	if rec := w.get(at); rec.Code < 500 {
		t.Errorf("examiner: %d", rec.Code)
	}
}

type brokenVault struct{}

func (brokenVault) Open(context.Context, certcopy.Secret, certcopy.CopyID, certcopy.Digest) ([]byte, error) {
	return nil, storage.ErrUnavailable
}

func TestKeptIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	k := newKept[int](func() time.Time { return now })
	for i := range 3 * maxKept {
		k.put(certcopy.DigestOf([]byte(fmt.Sprint(i))), i, time.Minute)
	}
	if len(k.answers) > maxKept {
		t.Errorf("%d kept", len(k.answers))
	}
	if v, ok := k.get(certcopy.DigestOf([]byte(fmt.Sprint(3*maxKept - 1)))); !ok || v != 3*maxKept-1 {
		t.Error("the newest was forgotten")
	}
}

// TestNobodyIsNamedByNumber: whatever stands in the certificates, no page or JSON of this site
// gives an identity number; what others than the holder of the file open gives no certificate.
func TestNobodyIsNamedByNumber(t *testing.T) {
	w, _, i, at := judged(t)
	page := "/v/" + i.code.String()
	never := []string{"052190001234", "an@example.vn", "19700101"}
	for name, c := range map[string]struct {
		rec   func(...string) ([]byte, int)
		names bool // a certificate's name may be shown
	}{
		"shared":     {func(h ...string) ([]byte, int) { r := w.get(at, h...); return r.Body.Bytes(), r.Code }, false},
		"code":       {func(h ...string) ([]byte, int) { r := w.get(page, h...); return r.Body.Bytes(), r.Code }, false},
		"code, file": {func(h ...string) ([]byte, int) { r := w.send(page, i.file, h...); return r.Body.Bytes(), r.Code }, true},
		"file":       {func(h ...string) ([]byte, int) { r := w.send("/check", i.file, h...); return r.Body.Bytes(), r.Code }, true},
	} {
		for _, accept := range []string{"text/html", "application/json"} {
			body, status := c.rec("Accept", accept)
			if status != http.StatusOK {
				t.Errorf("%s %s: %d", name, accept, status)
			}
			for _, s := range never {
				if strings.Contains(string(body), s) {
					t.Errorf("%s %s: shows %s\n%s", name, accept, s, body)
				}
			}
			if got := strings.Contains(string(body), "MST:4101234567"); got && !c.names || !got && c.names {
				t.Errorf("%s %s: a certificate's name is shown: %v", name, accept, got)
			}
			if accept == "application/json" && !json.Valid(body) {
				t.Errorf("%s: not JSON", name)
			}
		}
	}
}

func TestMaskIdentity(t *testing.T) {
	for in, want := range map[string]string{
		officialDN:                       `UID=…,CN=Nguyễn Văn An,title=Chủ tịch,serialNumber=…,emailAddress=…,1.3.6.1.5.5.7.9.1=…,C=VN`,
		agencyDN:                         agencyDN,
		`CN=A\,UID=CCCD:1,O=B`:           `CN=A\,UID=…,O=B`,
		`UID=CCCD:1\,MST:2,CN=x`:         `UID=…,CN=x`,
		`CN=x,UID=MNS:1012345`:           `CN=x,UID=MNS:1012345`,
		`CN=x+UID=079123456789`:          `CN=x+UID=…`,
		`Chứng thư của CMND: 212345678.`: `Chứng thư của CMND: ….`,
		``:                               ``,
	} {
		if got := verify.MaskIdentity(in); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}
