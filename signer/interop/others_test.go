package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/signertest"
)

// other is a program that makes signatures too. sign signs files with a P-256 key of their own up
// to a level, and extend lifts the signatures of files to one.
type other struct {
	name         string
	find         func() string
	command      func() []string
	sign, extend func(t testing.TB, w *world, files map[string][]byte, level string) map[string][]byte
}

// others are the two programs, called in the same way.
var others = []*other{
	newOther("pyHanko", findPyHanko, func() []string { return []string{findPyHanko(), "testdata/peer.py"} }),
	newOther("EU DSS", findDSS, func() []string { return []string{findDSS()} }),
}

func findDSS() string { return findTool("bin/dss") }

// findPyHanko returns a Python that has pyHanko.
func findPyHanko() string { return findTool("pyhanko/bin/python") }

func newOther(name string, find func() string, command func() []string) *other {
	o := &other{name: name, find: find, command: command}
	o.sign = func(t testing.TB, w *world, files map[string][]byte, level string) map[string][]byte {
		t.Helper()
		return o.run(t, w, files, "sign", "--p12", w.p12(t, key{name: "theirs", kind: signertest.P256}), "--pass", pass, "--level", level)
	}
	o.extend = func(t testing.TB, w *world, files map[string][]byte, level string) map[string][]byte {
		t.Helper()
		return o.run(t, w, files, "extend", "--level", level)
	}
	return o
}

// run has the program work on all files in one process and returns what it made of them.
func (o *other) run(t testing.TB, w *world, files map[string][]byte, words ...string) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	args := append(o.command()[1:], words...)
	args = append(args, "--tsa", w.url+"/tsa", "--trust", w.path("root.pem"))
	for name, data := range files {
		in := fmt.Sprintf("%s/%s.pdf", dir, fileName(name))
		write(t, in, data)
		args = append(args, in, in+".out")
	}
	said := output(t, o.command()[0], args...)
	done := map[string][]byte{}
	for line := range strings.Lines(said) {
		var answer struct{ File, Out, Error string }
		if json.Unmarshal([]byte(line), &answer) == nil && answer.Error != "" {
			t.Errorf("%s: %s: %s: %s", o.name, words[0], answer.File, answer.Error)
		}
		for name := range files {
			if answer.Out == fmt.Sprintf("%s/%s.pdf.out", dir, fileName(name)) {
				done[name] = read(t, answer.Out)
				if !bytes.HasPrefix(done[name], files[name]) {
					t.Errorf("%s: %s: %s: bytes of the file were changed", o.name, words[0], name)
				}
			}
		}
	}
	if len(done) < len(files) {
		t.Fatalf("%s made %d of %d files:\n%s", o.name, len(done), len(files), said)
	}
	return done
}

// fileName makes a name that needs no quoting anywhere.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == ',' || r == '/' {
			return '_'
		}
		return r
	}, name)
}
