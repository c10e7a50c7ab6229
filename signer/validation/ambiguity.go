package validation

import (
	"github.com/saoy/saoy/signer/pdf"
)

// maxAmbiguity bounds the objects looked at for keys that occur twice.
const maxAmbiguity = 1_000_000

// unambiguous looks through all that the document reaches for a dictionary in which a key
// has two values. Whoever prepared such a file before it was signed can have one program
// show this, another that (ISO 32000-2 §7.3.7 forbids it).
func (x *examiner) unambiguous() error {
	v := view{x.doc}
	seen := map[pdf.Ref]bool{}
	queue := []pdf.Object{x.doc.Trailer()}
	for n := 0; len(queue) > 0; n++ {
		if n > maxAmbiguity {
			x.fault(msgUnreadable.of(plain(errTooComplex)))
			return nil
		}
		if n&0xfff == 0 && x.ctx.Err() != nil {
			return x.ctx.Err()
		}
		o := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if ref, ok := o.(pdf.Ref); ok {
			if seen[ref] {
				continue
			}
			seen[ref] = true
			target, err := v.get(ref)
			if isIO(err) {
				return err
			}
			if err != nil {
				continue // what cannot be read shows nothing, or the comparison will say so
			}
			o = target
		}
		if key, twice := ambiguous(dictOf(o)); twice {
			x.fault(msgAmbiguous.of(key))
			return nil
		}
		queue = push(queue, o)
	}
	return nil
}

func dictOf(o pdf.Object) pdf.Dict {
	switch o := o.(type) {
	case pdf.Dict:
		return o
	case *pdf.Stream:
		return o.Dict
	}
	return nil
}

// push adds what an object holds that may lead further.
func push(queue []pdf.Object, o pdf.Object) []pdf.Object {
	add := func(v pdf.Object) {
		if leads(v) {
			queue = append(queue, v)
		}
	}
	if a, ok := o.(pdf.Array); ok {
		for _, v := range a {
			add(v)
		}
		return queue
	}
	for _, e := range dictOf(o) {
		add(e.Value)
	}
	return queue
}
