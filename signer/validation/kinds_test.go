package validation

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

func needTool(t testing.TB, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatalf("%s is not installed", tool)
		}
		t.Skipf("%s is not installed", tool)
	}
}

func qpdf(t testing.TB, data []byte, args string) []byte {
	t.Helper()
	needTool(t, "qpdf")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	must(t, os.WriteFile(in, data, 0o600))
	if msg, err := exec.Command("qpdf", append(strings.Fields(args), in, out)...).CombinedOutput(); err != nil {
		t.Fatalf("qpdf %s: %v %s", args, err, msg)
	}
	b, err := os.ReadFile(out)
	must(t, err)
	return b
}

// TestKinds: a copy passes whatever kind of file was signed, and what is done to it
// afterwards shows.
func TestKinds(t *testing.T) {
	plain := newDocument(t)
	for name, args := range map[string]string{
		"object streams":     "--object-streams=generate",
		"linearized":         "--linearize --object-streams=disable",
		"linearized streams": "--linearize --object-streams=generate",
		"compressed":         "--recompress-flate --object-streams=preserve",
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			data := o.docTimestamp(o.copy(&document{data: qpdf(t, plain.data, args)}))
			expect(t, o.validate(data), TotalPassed, "", LevelLTA)
			changed := revised(t, data, func(u *pdf.Update) { turnFirstPage(t, u, data) })
			if r := o.validate(changed); r.Integrity != Modified {
				logReport(t, r)
				t.Error("a turned page is not seen")
			}
		})
	}
}

func turnFirstPage(t *testing.T, u *pdf.Update, data []byte) {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	must(t, err)
	for p, err := range r.Pages() {
		must(t, err)
		altered(t, u, p.Ref, func(d *pdf.Dict) { d.Set("Rotate", pdf.Integer(90)) })
		return
	}
}

// TestLocks: a signature freezes the fields its lock names, and those only.
func TestLocks(t *testing.T) {
	for _, c := range []struct {
		name       string
		lock       pades.Lock
		text, tick bool // may be filled afterwards
	}{
		{"all", pades.Lock{Action: pades.LockAll}, false, false},
		{"include", pades.Lock{Action: pades.LockInclude, Fields: []string{"ho_ten"}}, false, true},
		{"exclude", pades.Lock{Action: pades.LockExclude, Fields: []string{"ho_ten"}}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t)
			d := newDocument(t)
			signed := o.sign(d.data, o.person, pades.Options{Field: "new", Lock: &c.lock}, pades.Means{})
			text := revised(t, signed, func(u *pdf.Update) { set(t, u, d.refs["text"], pdf.E("V", pdf.Text("x"))) })
			judge(t, o.validate(text), c.text, "ho_ten")
			tick := revised(t, signed, func(u *pdf.Update) {
				set(t, u, d.refs["check"], pdf.E("V", name("On")), pdf.E("AS", name("On")))
			})
			judge(t, o.validate(tick), c.tick, "dong_y")
			judge(t, o.validate(o.docTimestamp(o.store(signed))), true, "time-stamp")
		})
	}
}
