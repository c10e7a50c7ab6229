package interop

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

var levels = []pades.Level{pades.BB, pades.BT, pades.BLT, pades.BLTA}

// TestInterop has every program judge what is signed here, on kinds of files, by kinds of
// keys, to all levels; then what others signed upon it, and what was signed upon theirs.
func TestInterop(t *testing.T) {
	if testing.Short() {
		t.Skip("asking seven programs takes its time")
	}
	w := newWorld(t)
	all := inputs(t, w)
	subjects := matrix(t, w, all)
	crossed := make([][]subject, len(others))
	t.Run("crossing", func(t *testing.T) {
		for i, o := range others {
			t.Run(o.name, func(t *testing.T) {
				t.Parallel()
				if o.find() == "" {
					missing(t, o.name)
				}
				crossed[i] = crossings(t, w, o, all)
			})
		}
	})
	subjects = slices.Concat(append([][]subject{subjects}, crossed...)...)
	r := &results{subjects: subjects, verdicts: map[string]verdicts{}}
	t.Run("ours", func(t *testing.T) { r.check(t, "saoy", w.ownVerdicts(t, subjects)) })
	t.Run("peers", func(t *testing.T) {
		for _, p := range peers {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				program := p.find()
				if program == "" {
					missing(t, p.name)
				}
				r.check(t, p.name, p.judge(t, w, program, subjects))
			})
		}
	})
	r.write(t)
}

// matrix signs every kind of file with every kind of key to every level. By default each kind
// of file is signed to B-LTA and to one other level, with keys that take turns, so that each
// key meets each level.
func matrix(t testing.TB, w *world, all []input) []subject {
	t.Helper()
	var out []subject
	for i, in := range all {
		for j, k := range keys {
			for l, level := range levels {
				turn := (i+j+l)%len(levels) == 0 && (level == pades.BLTA || l == i%3)
				if os.Getenv("SAOY_INTEROP") == "" && !turn {
					continue
				}
				out = append(out, w.subject(t, in, k, level))
			}
		}
	}
	renewed := subject{name: "renewed", input: "archive time-stamp renewed", key: keys[2].name, level: pades.BLTA, field: "Ours", count: 1}
	data := w.sign(t, all[0].data, keys[2], pades.BLTA, pades.Options{Field: "Ours"})
	return append(out, w.keep(t, renewed, w.extend(t, data, pades.BLTA)))
}

func (w *world) subject(t testing.TB, in input, k key, level pades.Level) subject {
	t.Helper()
	o := in.options
	if o.Field == "" {
		o.Field = "Ours"
	}
	s := subject{name: fmt.Sprintf("%s · %s · %s", in.name, k.name, level), input: in.name, key: k.name, level: level, field: o.Field, count: in.earlier + 1, pdfa: in.pdfa}
	return w.keep(t, s, w.sign(t, in.data, k, level, o))
}

// keep writes the file of a subject.
func (w *world) keep(t testing.TB, s subject, data []byte) subject {
	t.Helper()
	s.path = w.path(fileName(s.name) + ".pdf")
	write(t, s.path, data)
	return s
}

// crossings has another program sign and extend what was signed here, then signs and extends
// here what that program made. By default each kind of file takes one of the four ways.
func crossings(t testing.TB, w *world, o *other, all []input) []subject {
	t.Helper()
	ways := [4]map[string][]byte{{}, {}, {}, {}}
	for i, in := range all {
		for way := range ways {
			if in.earlier == 0 && (os.Getenv("SAOY_INTEROP") != "" || way == i%len(ways)) {
				ways[way][in.name] = w.beforeCrossing(t, in, way)
			}
		}
	}
	ways[0] = o.sign(t, w, ways[0], "LTA")
	ways[1] = o.sign(t, w, ways[1], "LTA")
	ways[2] = o.extend(t, w, ways[2], "LTA")
	ways[3] = o.sign(t, w, ways[3], "T")
	var out []subject
	for i, what := range []string{"ours, then " + o.name, "ours, then " + o.name + ", then ours", "ours, extended by " + o.name, o.name + ", extended here"} {
		s := subject{input: what, crossing: true, key: keys[2].name, level: pades.BLTA, field: []string{"Theirs", "Again", "Ours", "Theirs"}[i], count: []int{2, 3, 1, 1}[i]}
		for _, in := range all {
			data, ok := ways[i][in.name]
			if !ok {
				continue
			}
			switch i {
			case 1:
				data = w.sign(t, data, keys[2], pades.BLTA, pades.Options{Field: "Again"})
			case 3:
				data = w.extend(t, data, pades.BLTA)
			}
			s.name = in.name + " · " + what
			out = append(out, w.keep(t, s, data))
		}
	}
	return out
}

// beforeCrossing is the file that the other program gets: signed here to B-LTA, to be signed;
// to B-T, to be extended; or not signed.
func (w *world) beforeCrossing(t testing.TB, in input, way int) []byte {
	t.Helper()
	switch way {
	case 0, 1:
		return w.sign(t, in.data, keys[2], pades.BLTA, pades.Options{Field: "Ours", Certify: 2})
	case 2:
		return w.sign(t, in.data, keys[2], pades.BT, pades.Options{Field: "Ours"})
	}
	return in.data
}

// ownVerdicts is what this project's own validator says of the same files: intact, trusted,
// and at the level claimed.
func (w *world) ownVerdicts(t testing.TB, subjects []subject) verdicts {
	t.Helper()
	out := verdicts{}
	for _, s := range subjects {
		data := read(t, s.path)
		o := validation.Options{At: time.Now(), Anchors: trust.NewStoreOf(w.pki.Root.Certificate)}
		if s.level < pades.BLT {
			o.Source = w.collector.Validator.Source
		}
		r, err := validation.File(t.Context(), bytes.NewReader(data), int64(len(data)), o)
		if err != nil {
			t.Fatal(err)
		}
		out[s.path] = judgeOwn(r, s)
	}
	return out
}

func judgeOwn(r *validation.Report, s subject) string {
	count := 0
	for _, sig := range r.Signatures {
		if sig.Indication != validation.TotalPassed || sig.Integrity != validation.Intact {
			return fmt.Sprintf("%s: %s %s %s %s %v", sig.Field, sig.Indication, sig.SubIndication, sig.Integrity, sig.ChangesAfter, failures(sig))
		}
		if sig.Kind == validation.KindSignature {
			count++
		}
		if sig.Field == s.field && string(sig.Level) != s.level.String() {
			return fmt.Sprintf("%s: level %s, not %s", sig.Field, sig.Level, s.level)
		}
	}
	return counted("", count, s)
}

func failures(sig validation.Signature) (out []string) {
	for _, c := range sig.Checks {
		if c.Result == validation.Failed {
			out = append(out, c.EN)
		}
	}
	return out
}
