package pdf

import (
	"errors"
	"fmt"
	"iter"
)

// Page is a page with the attributes it inherits (ISO 32000-2 §7.7.3.4).
type Page struct {
	Index     int // from 0
	Ref       Ref
	Dict      Dict
	Resources Object     // nil if there are none
	MediaBox  [4]float64 // lower left corner first
	CropBox   [4]float64 // MediaBox if there is none
	Rotate    int        // 0, 90, 180 or 270, clockwise
}

// errStop ends a walk whose consumer has had enough.
var errStop = errors.New("stop")

// Pages ranges over the pages in order. An error ends the range and comes with an empty
// Page. Nodes that occur twice, or lie deeper or are more than Limits allow, are errors.
func (r *Reader) Pages() iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		_, catalog, err := r.Catalog()
		if err == nil {
			w := &pageWalk{r: r, seen: map[int]bool{}, yield: yield}
			err = w.node(catalog.Get("Pages"), Page{}, 0)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(Page{}, err)
		}
	}
}

// Page returns page i, from 0.
func (r *Reader) Page(i int) (Page, error) {
	for p, err := range r.Pages() {
		if err != nil || p.Index == i {
			return p, err
		}
	}
	return Page{}, fmt.Errorf("%w: there is no page %d", ErrNoPage, i+1)
}

// ErrNoPage: a page was asked for that the document does not have.
var ErrNoPage = errors.New("no such page")

type pageWalk struct {
	r     *Reader
	seen  map[int]bool
	next  int
	yield func(Page, error) bool
}

func (w *pageWalk) node(o Object, inherited Page, depth int) error {
	ref, ok := o.(Ref)
	if !ok {
		return damaged(0, Ref{}, "a node of the page tree is not a reference")
	}
	if w.seen[ref.Number] {
		return damaged(0, ref, "the page tree holds the node twice")
	}
	w.seen[ref.Number] = true
	if depth > w.r.limits.Depth || len(w.seen) > 2*w.r.limits.Pages {
		return fmt.Errorf("%w: the page tree is too deep or too large", ErrLimit)
	}
	v, err := w.r.Object(ref)
	if err != nil {
		return err
	}
	d, ok := v.(Dict)
	if !ok {
		return damaged(0, ref, "a node of the page tree is not a dictionary")
	}
	p, err := w.r.inherit(inherited, ref, d)
	if err != nil {
		return err
	}
	if d.Has("Kids") {
		return w.kids(d, p, depth)
	}
	return w.leaf(p)
}

func (w *pageWalk) kids(d Dict, p Page, depth int) error {
	kids, err := w.r.Array(d.Get("Kids"))
	if err != nil {
		return err
	}
	for _, kid := range kids {
		if err := w.node(kid, p, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *pageWalk) leaf(p Page) error {
	if w.next >= w.r.limits.Pages {
		return fmt.Errorf("%w: more than %d pages", ErrLimit, w.r.limits.Pages)
	}
	if p.MediaBox == ([4]float64{}) {
		return damaged(0, p.Ref, "the page has no /MediaBox")
	}
	if p.CropBox == ([4]float64{}) {
		p.CropBox = p.MediaBox
	}
	p.Index = w.next
	w.next++
	if !w.yield(p, nil) {
		return errStop
	}
	return nil
}

// inherit gives a node its own attributes and else those of its parents.
func (r *Reader) inherit(p Page, ref Ref, d Dict) (_ Page, err error) {
	p.Ref, p.Dict = ref, d
	if d.Has("Resources") {
		p.Resources = d.Get("Resources")
	}
	if p.MediaBox, err = r.inheritBox(p.MediaBox, ref, d, "MediaBox"); err != nil {
		return p, err
	}
	if p.CropBox, err = r.inheritBox(p.CropBox, ref, d, "CropBox"); err != nil {
		return p, err
	}
	if d.Has("Rotate") {
		v, err := r.Resolve(d.Get("Rotate"))
		if err != nil {
			return p, err
		}
		n, ok := v.(Integer)
		if !ok || n%90 != 0 {
			return p, damaged(0, ref, "/Rotate is not a multiple of 90")
		}
		p.Rotate = int((n%360 + 360) % 360)
	}
	return p, nil
}

func (r *Reader) inheritBox(above [4]float64, ref Ref, d Dict, key Name) ([4]float64, error) {
	if !d.Has(key) {
		return above, nil
	}
	own, err := r.Box(d.Get(key))
	if err != nil {
		return above, fmt.Errorf("page %v: /%s: %w", ref, key, err)
	}
	return own, nil
}

// Box resolves a rectangle and puts its lower left corner first.
func (r *Reader) Box(o Object) ([4]float64, error) {
	var box [4]float64
	a, err := r.Array(o)
	if err != nil {
		return box, err
	}
	if len(a) != 4 {
		return box, damaged(0, Ref{}, "a rectangle has %d numbers", len(a))
	}
	for i := range a {
		v, err := r.Resolve(a[i])
		if err != nil {
			return box, err
		}
		f, ok := Float(v)
		if !ok {
			return box, damaged(0, Ref{}, "a rectangle holds something that is not a number")
		}
		box[i] = f
	}
	return [4]float64{min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])}, nil
}
