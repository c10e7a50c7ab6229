package validation

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/saoy/saoy/signer/pdf"
)

// streams compares dictionary and stored bytes. Bytes that lie at the same place of the
// file are not read.
func (r *run) streams(o, n *pdf.Stream, graphics bool, where *trail) (bool, *trail, error) {
	if ok, at, err := r.dicts(o.Dict, n.Dict, graphics, where, "Length"); err != nil || !ok {
		return false, at, err
	}
	if o.Len() != n.Len() {
		return false, where, nil
	}
	_, oldAt, _ := o.Raw().Outer()
	_, newAt, _ := n.Raw().Outer()
	if oldAt == newAt {
		return true, nil, nil
	}
	ok, err := equalBytes(o.Raw(), n.Raw())
	return ok, where, err
}

func equalBytes(a, b io.Reader) (bool, error) {
	var bufA, bufB [32 << 10]byte
	for {
		na, errA := io.ReadFull(a, bufA[:])
		nb, errB := io.ReadFull(b, bufB[:])
		if !bytes.Equal(bufA[:na], bufB[:nb]) {
			return false, nil
		}
		if errA != nil || errB != nil {
			return ended(errA) && ended(errB), errors.Join(notEnd(errA), notEnd(errB))
		}
	}
}

func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func notEnd(err error) error {
	if err == nil || ended(err) {
		return nil
	}
	return fmt.Errorf("compare streams: %w", err)
}

func equalScalar(o, n pdf.Object) bool {
	if s, ok := o.(pdf.String); ok {
		t, ok := n.(pdf.String)
		return ok && bytes.Equal(s.Bytes, t.Bytes)
	}
	if a, ok := pdf.Float(o); ok {
		b, ok := pdf.Float(n)
		return ok && a == b
	}
	switch o := o.(type) {
	case pdf.Null:
		_, ok := n.(pdf.Null)
		return ok
	case pdf.Boolean:
		b, ok := n.(pdf.Boolean)
		return ok && o == b
	case pdf.Name:
		b, ok := n.(pdf.Name)
		return ok && o == b
	}
	return false
}

// valueOf returns the value of key, Null if absent.
func valueOf(d pdf.Dict, key pdf.Name) pdf.Object {
	if v := d.Get(key); v != nil {
		return v
	}
	return pdf.Null{}
}

// ambiguous returns the first key that occurs twice with different values: readers differ in
// which of the two they take.
func ambiguous(d pdf.Dict) (pdf.Name, bool) {
	if _, twice := d.Duplicate(); !twice {
		return "", false
	}
	first := make(map[pdf.Name]pdf.Object, len(d))
	for _, e := range d {
		v, twice := first[e.Key]
		if !twice {
			first[e.Key] = e.Value
		} else if !sameSlot(v, e.Value) || !isRef(v) && !equalScalar(v, e.Value) {
			return e.Key, true
		}
	}
	return "", false
}

func isRef(o pdf.Object) bool { _, ok := o.(pdf.Ref); return ok }

// unionKeys returns the keys of both dictionaries, each once, in their order.
func unionKeys(o, n pdf.Dict) []pdf.Name {
	keys := make([]pdf.Name, 0, len(o)+2)
	has := o.Has
	if len(o) > fewKeys && len(n) > fewKeys {
		index := indexOf(o)
		has = func(key pdf.Name) bool { _, ok := index[key]; return ok }
	}
	for _, e := range o {
		keys = append(keys, e.Key)
	}
	for _, e := range n {
		if !has(e.Key) {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

// fewKeys is up to how many keys a dictionary is searched from the front.
const fewKeys = 64

func indexOf(d pdf.Dict) map[pdf.Name]pdf.Object {
	index := make(map[pdf.Name]pdf.Object, len(d))
	for _, e := range d {
		if _, twice := index[e.Key]; !twice { // the first counts, as in Dict.Get
			index[e.Key] = e.Value
		}
	}
	return index
}

// lookup is valueOf for many keys of one dictionary.
func lookup(d pdf.Dict) func(pdf.Name) pdf.Object {
	if len(d) <= fewKeys {
		return func(key pdf.Name) pdf.Object { return valueOf(d, key) }
	}
	index := indexOf(d)
	return func(key pdf.Name) pdf.Object {
		if v := index[key]; v != nil {
			return v
		}
		return pdf.Null{}
	}
}
