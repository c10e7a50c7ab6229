package interop

import (
	"bytes"
	"fmt"
	"os"
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
	for _, o := range others {
		t.Run("crossing/"+o.name, func(t *testing.T) {
			if o.find() == "" {
				missing(t, o.name)
			}
			subjects = append(subjects, crossings(t, w, o, all)...)
		})
	}
	r := &results{subjects: subjects, verdicts: map[string]verdicts{}}
	t.Run("ours", func(t *testing.T) { r.check(t, "saoy", w.ownVerdicts(t, subjects)) })
	t.Run("peers", func(t *testing.T) {
		for _, p := range peers {
			t.Run(p.name, func(t *testing.T) {
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

// matrix signs every kind of file with every kind of key to every level; by default only so
// many that each pair of the three meets once.
func matrix(t testing.TB, w *world, all []input) []subject {
	t.Helper()
	var out []subject
	for i, in := range all {
		for j, k := range keys {
			for l, level := range levels {
				if os.Getenv("SAOY_INTEROP") == "" && l != (i+j)%len(levels) {
					continue
				}
				out = append(out, w.subject(t, in, k, level))
			}
		}
	}
	return out
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
// here what that program made.
func crossings(t testing.TB, w *world, o *other, all []input) []subject {
	t.Helper()
	ours, raised := map[string][]byte{}, map[string][]byte{}
	for _, in := range all {
		if in.earlier == 0 {
			ours[in.name] = w.sign(t, in.data, keys[2], pades.BLTA, pades.Options{Field: "Ours", Certify: 2})
			raised[in.name] = w.sign(t, in.data, keys[2], pades.BT, pades.Options{Field: "Ours"})
		}
	}
	theirs := o.sign(t, w, ours, "LTA")
	raised = o.extend(t, w, raised, "LTA")
	early := map[string][]byte{}
	for _, in := range all {
		if in.earlier == 0 {
			early[in.name] = in.data
		}
	}
	lifted := o.sign(t, w, early, "T")
	var out []subject
	add := func(what, name, field string, count int, data []byte) {
		s := subject{name: name + " · " + what, input: what, key: keys[2].name, level: pades.BLTA, field: field, count: count}
		out = append(out, w.keep(t, s, data))
	}
	for _, in := range all {
		if in.earlier > 0 {
			continue
		}
		add("ours, then "+o.name, in.name, "Theirs", 2, theirs[in.name])
		add("ours, then "+o.name+", then ours", in.name, "Again", 3, w.sign(t, theirs[in.name], keys[2], pades.BLTA, pades.Options{Field: "Again"}))
		add("ours, extended by "+o.name, in.name, "Ours", 1, raised[in.name])
		add(o.name+", extended here", in.name, "Theirs", 1, w.extend(t, lifted[in.name], pades.BLTA))
	}
	return out
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
