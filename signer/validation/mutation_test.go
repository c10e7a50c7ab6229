package validation

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/saoy/saoy/signer/pades"
)

// leveled are files that pass, of every level, the last as the product releases them.
func leveled(o *office) map[string][]byte {
	d := newDocument(o.t)
	basic := o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 2}, pades.Means{})
	stamped := o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 2}, pades.Means{TimeStamper: stamper{o.pki}})
	sealed := o.copy(d)
	return map[string][]byte{"B-B": basic, "B-T": stamped, "B-LT": o.store(stamped), "sealed": sealed, "B-LTA": o.docTimestamp(sealed)}
}

// TestMutation: a file that passes, of every level, does not pass when one of its bytes is
// another, except white space and the like behind the last signature, which where names. SAOY_ALL=1
// tries every byte.
func TestMutation(t *testing.T) {
	o := newOffice(t)
	opts := o.options()
	for name, data := range leveled(o) {
		opts.At = o.now
		opts.Source = o.online()
		t.Run(name, func(t *testing.T) {
			if !validate(t, data, opts).Passed() {
				logReport(t, validate(t, data, opts))
				t.Fatal("the file does not pass unchanged")
			}
			mutate(t, data, opts)
		})
	}
}

func mutate(t *testing.T, data []byte, opts Options) {
	last := bytes.LastIndex(data, []byte("/Contents <"))
	end := last + bytes.IndexByte(data[last:], '>')
	step := func(i int) int {
		switch {
		case os.Getenv("SAOY_ALL") != "":
			return 1
		case testing.Short():
			return 2999
		case i > last && i < end:
			return 89
		}
		return 797
	}
	passed, tried := map[string]int{}, 0
	for i := 0; i < len(data); i += step(i) {
		for _, c := range changesOf(data[i]) {
			changed := bytes.Clone(data)
			changed[i] = c
			tried++
			if validate(t, changed, opts).Passed() {
				passed[where(t, data, i, c)]++
			}
		}
	}
	t.Logf("%d bytes, %d changes tried, passed: %v", len(data), tried, passed)
}

// changesOf are the bytes tried in the place of one: another case, a neighbour, white space.
func changesOf(b byte) []byte {
	out := []byte{b ^ 0x20, b ^ 1}
	if isSpace(b) {
		return append(out, '\n', 0)[1:]
	}
	return out
}

// where names what may change unseen, all of it behind the last signature, and fails for the
// rest.
func where(t *testing.T, data []byte, i int, c byte) string {
	t.Helper()
	behind := bytes.LastIndex(data, []byte("/ByteRange"))
	id := bytes.LastIndex(data, []byte("/ID"))
	switch {
	case data[i] == c:
		return "nothing changed"
	case i > behind && isSpace(data[i]) && isSpace(c):
		return "white space behind the last signature"
	case i > behind && i > id && i < id+bytes.IndexByte(data[id:], ']'):
		return "changing identifier behind the last signature" // ISO 32000-2 §14.4
	}
	window := data[max(0, i-20):min(len(data), i+20)]
	t.Errorf("byte %d changed from %q to %q passes: %q", i, data[i], c, window)
	return fmt.Sprint(i)
}
