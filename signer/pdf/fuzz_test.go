package pdf

import (
	"bytes"
	"errors"
	"os/exec"
	"reflect"
	"testing"
)

// FuzzObject: what parses, serialises; what was serialised parses to the same object and
// serialises to the same bytes.
func FuzzObject(f *testing.F) {
	for _, s := range []string{
		"<</A[1 -2.5 +.5 4.]/B(a\\(b\\)\\053\\\n)/C<48 65 6>>>", "12 0 R", "[1 0 R 2 0 R 3 4]", "/A#20B", "null", "true", "(a(b)c)",
		"<</A<</B<<>>>>>>", "[[[[]]]]", "9999999999999999999", "(\r\n)", "<</A 1/A 2>>", "% comment\n7", "<feff>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := parser{b: data, depth: 50}
		o, err := p.object()
		if err != nil {
			return
		}
		once, err := Append(nil, o)
		if err != nil {
			t.Fatalf("%q parses to %#v, which cannot be written: %v", data, o, err)
		}
		q := parser{b: once, depth: 50}
		again, err := q.object()
		if err != nil || q.pos != len(once) {
			t.Fatalf("%q was written as %q, which does not parse: %v", data, once, err)
		}
		if !reflect.DeepEqual(normal(o), normal(again)) {
			t.Fatalf("%#v was written as %q and read as %#v", o, once, again)
		}
	})
}

// normal makes empty and nil byte slices equal.
func normal(o Object) Object {
	switch v := o.(type) {
	case String:
		if len(v.Bytes) == 0 {
			v.Bytes = nil
		}
		return v
	case Array:
		out := make(Array, len(v))
		for i := range v {
			out[i] = normal(v[i])
		}
		return out
	case Dict:
		out := make(Dict, len(v))
		for i := range v {
			out[i] = Entry{v[i].Key, normal(v[i].Value)}
		}
		return out
	}
	return o
}

// FuzzReader: no input makes the reader panic, hang or use memory out of proportion, every
// error has a kind, and what passes Check can be updated to a file that passes Check.
func FuzzReader(f *testing.F) {
	f.Add(sample(f, "1.7"))
	f.Add(hybrid(f))
	f.Add(updated(f, sample(f, "1.7")))
	if _, err := exec.LookPath("qpdf"); err == nil {
		for _, data := range variants(f) {
			f.Add(data)
		}
	}
	limits := Limits{Objects: 10_000, Sections: 20, Depth: 20, ObjectBytes: 1 << 16, DecodedBytes: 1 << 20, DecodedTotal: 8 << 20, Pages: 100}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Open(bytes.NewReader(data), int64(len(data)), limits)
		if err != nil {
			hasKind(t, err)
			return
		}
		if _, err := r.Revisions(); err != nil {
			hasKind(t, err)
		}
		if err := r.Check(); err != nil {
			hasKind(t, err)
			return
		}
		ref, catalog, err := r.Catalog()
		if err != nil {
			t.Fatalf("passes Check without a catalog: %v", err)
		}
		u := NewUpdate(r)
		u.Set(ref, append(catalog.Clone(), E("SaoyFuzz", u.Add(NewStream(nil, []byte("x"))))))
		if catalog.Has("SaoyFuzz") {
			return
		}
		inc, err := u.Increment()
		if errors.Is(err, ErrLimit) {
			return
		}
		if err != nil {
			t.Fatalf("update: %v", err)
		}
		whole := append(bytes.Clone(data), inc.Bytes...)
		again, err := Open(bytes.NewReader(whole), int64(len(whole)), Limits{})
		if err != nil {
			t.Fatalf("the updated file does not open: %v", err)
		}
		if err := again.Check(); err != nil {
			t.Fatalf("the updated file does not pass: %v", err)
		}
	})
}

func hasKind(t *testing.T, err error) {
	t.Helper()
	for _, kind := range []error{ErrDamaged, ErrEncrypted, ErrLimit, ErrFilter} {
		if errors.Is(err, kind) {
			return
		}
	}
	t.Fatalf("error without a kind: %v", err)
}
