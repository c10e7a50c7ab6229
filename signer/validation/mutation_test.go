package validation

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"testing"

	"github.com/saoy/saoy/signer/cms"
)

// uncovered are the parts of a file in which a byte may change and the file still pass: what
// nothing vouches for lies inside the /Contents of the youngest signature or time-stamp, since
// all others are covered by it. Each is a part of its CMS that no signature covers.
type uncovered struct {
	from, to int
	what     string
}

// uncoveredIn lists them, in offsets of the file.
func uncoveredIn(t *testing.T, data []byte) []uncovered {
	t.Helper()
	from := bytes.LastIndex(data, []byte("/Contents <")) + len("/Contents <")
	to := from + bytes.IndexByte(data[from:], '>')
	value, err := hex.DecodeString(string(data[from:to]))
	must(t, err)
	der, _, err := cms.Split(value)
	must(t, err)
	sd, err := cms.Parse(der)
	must(t, err)
	var parts []uncovered
	// The algorithms listed before the content; those that count stand with the signer.
	if i := bytes.Index(der, []byte{0x31, 0x0d, 0x30, 0x0b, 0x06, 0x09}); i >= 0 && i < 64 {
		parts = append(parts, uncovered{from + 2*i, from + 2*(i+15), "digestAlgorithms"})
	}
	for n, c := range sd.Certificates {
		if i := bytes.Index(der, c.Raw); i >= 0 {
			if n == 0 { // [0] and its length: under another tag the certificates are found elsewhere
				parts = append(parts, uncovered{from + 2*(i-4), from + 2*i, "tag of the certificates"})
			}
			parts = append(parts, uncovered{from + 2*i, from + 2*(i+len(c.Raw)), "certificate " + c.Subject.CommonName})
		}
	}
	return parts
}

// TestMutation: a file that passes, of every level and with time-stamps of its own, does not
// pass when one of its bytes is another, except in the parts listed by uncoveredIn. SAOY_ALL=1
// tries every byte.
func TestMutation(t *testing.T) {
	o := newOffice(t)
	data := o.docTimestamp(o.copy(newDocument(t)))
	if !o.validate(data).Passed() {
		t.Fatal("the file does not pass unchanged")
	}
	opts, parts := o.options(), uncoveredIn(t, data)
	last := bytes.LastIndex(data, []byte("/Contents <"))
	step := func(i int) int {
		switch {
		case os.Getenv("SAOY_ALL") != "":
			return 1
		case testing.Short():
			return 2999
		case i > last:
			return 37
		}
		return 397
	}
	passed := map[string]int{}
	for i := 0; i < len(data); i += step(i) {
		for _, c := range changesOf(data[i]) {
			changed := bytes.Clone(data)
			changed[i] = c
			if !validate(t, changed, opts).Passed() {
				continue
			}
			passed[where(t, parts, data, i, c)]++
		}
	}
	t.Logf("%d bytes, changed and passed: %v", len(data), passed)
}

// changesOf are the bytes tried in the place of one: another case, a neighbour, white space.
func changesOf(b byte) []byte {
	out := []byte{b ^ 0x20, b ^ 1}
	if isSpace(b) {
		return append(out, '\n', 0)[1:]
	}
	return out
}

// where names the part an offset lies in and fails if it is none of those listed.
func where(t *testing.T, parts []uncovered, data []byte, i int, c byte) string {
	t.Helper()
	if data[i] == c {
		return "nothing changed"
	}
	for _, p := range parts {
		if i >= p.from && i < p.to {
			return p.what
		}
	}
	window := data[max(0, i-20):min(len(data), i+20)]
	t.Errorf("byte %d changed from %q to %q passes: %q", i, data[i], c, window)
	return fmt.Sprint(i)
}
