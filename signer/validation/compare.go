package validation

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/saoy/saoy/signer/pdf"
)

// errTooComplex: the file needs more work to compare than the limits allow.
var errTooComplex = errors.New("too complex to compare")

// view is a document as it stood at one revision.
type view struct{ r *pdf.Reader }

// get follows references to the object itself; what does not exist is Null (ISO 32000-2
// §7.3.10).
func (v view) get(o pdf.Object) (pdf.Object, error) {
	if o == nil {
		return pdf.Null{}, nil
	}
	o, err := v.r.Resolve(o)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return pdf.Null{}, nil
	}
	return o, nil
}

// dict returns the dictionary o stands for; ok is false if it is anything else.
func (v view) dict(o pdf.Object) (d pdf.Dict, ok bool, err error) {
	o, err = v.get(o)
	if err != nil {
		return nil, false, err
	}
	d, ok = o.(pdf.Dict)
	return d, ok, nil
}

// array returns the array o stands for, nil if it is anything else.
func (v view) array(o pdf.Object) (pdf.Array, error) {
	o, err := v.get(o)
	if err != nil {
		return nil, err
	}
	a, _ := o.(pdf.Array)
	return a, nil
}

// trail is the way from the trailer to an object, for the sentence about it.
type trail struct {
	up  *trail
	key string
}

func (t *trail) to(key string) *trail { return &trail{t, key} }

func (t *trail) at(i int) *trail { return &trail{t, strconv.Itoa(i)} }

// String names the last steps of the way.
func (t *trail) String() string {
	var keys []string
	for ; t != nil && len(keys) < 12; t = t.up {
		keys = append(keys, t.key)
	}
	slices.Reverse(keys)
	return strings.Join(keys, "/")
}

// pair is an object of the signed revision and the one that stands in its place now.
type pair struct {
	old, new pdf.Ref
	// graphics: the objects draw something; only links back to pages end the walk there.
	graphics bool
}

// step is a pair still to be compared.
type step struct {
	pair
	where *trail
}

// comparer compares the document as it was signed with the document as it is now, object by
// object, along every way on which an object is reached. An object used in two places must
// be allowed to change in both.
type comparer struct {
	ctx      context.Context
	old, new view
	may      permissions
	// equal holds pairs known to be the same, with all they refer to.
	equal map[pair]bool
	// apart holds pages, page tree nodes, fields, annotations and structure elements: objects
	// that are compared where they belong, so that links to them from elsewhere are not
	// followed.
	apart   map[pdf.Ref]bool
	pages   map[pdf.Ref]bool // those of apart that are nodes of the page tree
	work    int              // objects still allowed to be visited
	changes []change
	// fields: see compare_form.go.
	newWidgets map[pdf.Ref]widgetRole
	oldWidgets map[pdf.Ref]bool
	seenFields map[pdf.Ref]bool
	redrawn    map[pdf.Ref]fieldState
	// seenElements are structure elements already compared.
	seenElements map[pdf.Ref]bool
	// appearances are indirect appearance dictionaries that a widget no longer uses.
	appearances []pdf.Ref
	// box and signedRects are of the page being compared; see compare_page.go.
	box         *[4]float64
	signedRects [][4]float64
	covered     float64 // area of what came later and is shown, in square points
	icons       float64 // of that, notes
}

// change is one difference found.
type change struct {
	allowed bool
	what    both
}

func (c *comparer) allow(what both)    { c.note(change{true, what}) }
func (c *comparer) disallow(what both) { c.note(change{false, what}) }

func (c *comparer) note(n change) {
	if len(c.changes) < 64 && !slices.Contains(c.changes, n) {
		c.changes = append(c.changes, n)
	}
}

// mustEqual compares what may not change, and notes a difference by the place where it lies.
func (c *comparer) mustEqual(o, n pdf.Object, graphics bool, where *trail) error {
	same, at, err := c.same(o, n, graphics, where)
	if err != nil {
		return err
	}
	if !same {
		c.disallow(describe(at.String()))
	}
	return nil
}

// same reports whether two objects and all they refer to are the same; if not, where they
// differ first. Objects are compared by what they say, not by their numbers.
func (c *comparer) same(o, n pdf.Object, graphics bool, where *trail) (bool, *trail, error) {
	run := &run{c: c, seen: map[pair]bool{}}
	if ok, at, err := run.value(o, n, graphics, where); err != nil || !ok {
		return false, at, err
	}
	for len(run.queue) > 0 {
		s := run.queue[len(run.queue)-1]
		run.queue = run.queue[:len(run.queue)-1]
		if s.old == s.new && c.untouched(s.old.Number) {
			o, err := c.new.get(s.new)
			if err != nil {
				return false, s.where, err
			}
			if err := run.descend(o, s.graphics, s.where); err != nil {
				return false, s.where, err
			}
			continue
		}
		oldObj, err := c.old.get(s.old)
		if err != nil {
			return false, s.where, err
		}
		newObj, err := c.new.get(s.new)
		if err != nil {
			return false, s.where, err
		}
		if ok, at, err := run.value(oldObj, newObj, s.graphics, s.where); err != nil || !ok {
			return false, at, err
		}
	}
	for p := range run.seen {
		c.equal[p] = true
	}
	return true, nil, nil
}

// untouched reports whether an object is the same bytes at the same place in both revisions.
// What it refers to need not be.
func (c *comparer) untouched(number int) bool {
	before, ok1 := c.old.r.Entry(number)
	after, ok2 := c.new.r.Entry(number)
	if !ok1 || !ok2 || before != after {
		return false
	}
	return before.Kind == pdf.InUse || before.Kind == pdf.Compressed && before.Offset != int64(number) && c.untouched(int(before.Offset))
}

// run is one comparison: pairs met again on the way count as the same, which is right if
// the run ends without a difference.
type run struct {
	c     *comparer
	seen  map[pair]bool
	queue []step
}

func (r *run) value(o, n pdf.Object, graphics bool, where *trail) (bool, *trail, error) {
	if r.c.work--; r.c.work < 0 {
		return false, where, errTooComplex
	}
	if r.c.work&0xfff == 0 && r.c.ctx.Err() != nil {
		return false, where, r.c.ctx.Err()
	}
	oldRef, isOldRef := o.(pdf.Ref)
	newRef, isNewRef := n.(pdf.Ref)
	if isOldRef && isNewRef {
		r.refs(oldRef, newRef, graphics, where)
		return true, nil, nil
	}
	var err error
	if o, err = r.c.old.get(o); err != nil {
		return false, where, err
	}
	if n, err = r.c.new.get(n); err != nil {
		return false, where, err
	}
	return r.direct(o, n, graphics, where)
}

// descend queues what an untouched object refers to. The length of a stream may be another
// object, which is compared like all others.
func (r *run) descend(o pdf.Object, graphics bool, where *trail) error {
	if r.c.work--; r.c.work < 0 {
		return errTooComplex
	}
	if r.c.work&0xfff == 0 && r.c.ctx.Err() != nil {
		return r.c.ctx.Err()
	}
	switch o := o.(type) {
	case pdf.Ref:
		r.refs(o, o, graphics, where)
	case pdf.Array:
		for i, v := range o {
			if !leads(v) {
				continue
			}
			if err := r.descend(v, graphics, where.at(i)); err != nil {
				return err
			}
		}
	case pdf.Dict, *pdf.Stream:
		for _, e := range dictOf(o) {
			if !leads(e.Value) {
				continue
			}
			if err := r.descend(e.Value, graphics, where.to(string(e.Key))); err != nil {
				return err
			}
		}
	}
	return nil
}

// leads reports whether an object can lead to others.
func leads(o pdf.Object) bool {
	switch o.(type) {
	case pdf.Ref, pdf.Array, pdf.Dict, *pdf.Stream:
		return true
	}
	return false
}

// refs queues a pair of indirect objects unless it is known or compared elsewhere.
func (r *run) refs(o, n pdf.Ref, graphics bool, where *trail) {
	if o == n && r.c.apart[o] && (!graphics || linksBack(where)) {
		return
	}
	p := pair{o, n, graphics}
	if r.seen[p] || r.c.equal[p] {
		return
	}
	r.seen[p] = true
	r.queue = append(r.queue, step{p, where})
}

// resourceKinds are the dictionaries whose keys are names a producer chose (ISO 32000-2
// Table 34): a font called /P is no link to a page.
var resourceKinds = []string{"Font", "XObject", "ExtGState", "Pattern", "Shading", "ColorSpace", "Properties"}

// linksBack reports whether a key of something that draws leads back to its page or owner.
func linksBack(where *trail) bool {
	if where.up != nil && slices.Contains(resourceKinds, where.up.key) {
		return false
	}
	return where.key == "Parent" || where.key == "P" || where.key == "Pg" || where.key == "Obj"
}

func (r *run) direct(o, n pdf.Object, graphics bool, where *trail) (bool, *trail, error) {
	switch o := o.(type) {
	case pdf.Dict:
		n, ok := n.(pdf.Dict)
		if !ok {
			return false, where, nil
		}
		return r.dicts(o, n, graphics, where, "")
	case pdf.Array:
		n, ok := n.(pdf.Array)
		if !ok || len(o) != len(n) {
			return false, where, nil
		}
		for i := range o {
			if ok, at, err := r.value(o[i], n[i], graphics, where.at(i)); err != nil || !ok {
				return false, at, err
			}
		}
		return true, nil, nil
	case *pdf.Stream:
		n, ok := n.(*pdf.Stream)
		if !ok {
			return false, where, nil
		}
		return r.streams(o, n, graphics, where)
	}
	return equalScalar(o, n), where, nil
}

// dicts compares all keys but one; a key with the value null is one that is absent
// (ISO 32000-2 §7.3.7).
func (r *run) dicts(o, n pdf.Dict, graphics bool, where *trail, except pdf.Name) (bool, *trail, error) {
	if key, twice := ambiguous(n); twice {
		return false, where.to(string(key)), nil
	}
	before, after := lookup(o), lookup(n)
	for _, key := range unionKeys(o, n) {
		if key == except {
			continue
		}
		if ok, at, err := r.value(before(key), after(key), graphics, where.to(string(key))); err != nil || !ok {
			return false, at, err
		}
	}
	return true, nil, nil
}
