package stamp

import "github.com/saoy/saoy/signer/pdf"

// structure is the logical structure of the document: what a screen reader reads, in order
// (ISO 32000-2 §14.7).
type structure struct {
	root  *node // the Document element
	pages []*taggedPage
	// widgets are the Form elements of the annotations, in the order of their /StructParent.
	widgets []*node
}

// node is one structure element. Its content is marked content, child elements, or one
// annotation.
type node struct {
	tag      string
	alt      string
	box      *rect // for /BBox
	children []*node
	marks    []int
	page     *taggedPage
	widget   pdf.Ref

	ref    pdf.Ref
	parent *node
}

// taggedPage knows which element owns each marked content of a page.
type taggedPage struct {
	ref    pdf.Ref
	owners []*node // by MCID
}

func newStructure() *structure { return &structure{root: &node{tag: "Document"}} }

// add appends a child element.
func (n *node) add(tag, alt string) *node {
	child := &node{tag: tag, alt: alt, parent: n}
	n.children = append(n.children, child)
	return child
}

func (s *structure) addPage(ref pdf.Ref) *taggedPage {
	p := &taggedPage{ref: ref}
	s.pages = append(s.pages, p)
	return p
}

// mark gives the next marked content of the page to an element.
func (p *taggedPage) mark(e *node) int {
	mcid := len(p.owners)
	p.owners = append(p.owners, e)
	e.page, e.marks = p, append(e.marks, mcid)
	return mcid
}

// addWidget makes the Form element of an annotation and returns its /StructParent.
func (s *structure) addWidget(parent *node, page *taggedPage, widget pdf.Ref, alt string) *node {
	e := parent.add("Form", alt)
	e.page, e.widget = page, widget
	s.widgets = append(s.widgets, e)
	return e
}

// widgetKey is the /StructParent of the i-th widget: keys of pages come first.
func (s *structure) widgetKey(i int) pdf.Integer { return pdf.Integer(len(s.pages) + i) }

// write puts the tree and returns the reference of its root.
func (s *structure) write(w *output) (pdf.Ref, error) {
	root := w.Alloc()
	s.root.alloc(w)
	if err := s.root.write(w, root); err != nil {
		return root, err
	}
	var numbers pdf.Array
	for i, p := range s.pages {
		owners := make(pdf.Array, len(p.owners))
		for j, o := range p.owners {
			owners[j] = o.ref
		}
		numbers = append(numbers, pdf.Integer(i), owners)
	}
	for i, e := range s.widgets {
		numbers = append(numbers, s.widgetKey(i), e.ref)
	}
	return root, w.Put(root, pdf.Dict{
		pdf.E("Type", pdf.Name("StructTreeRoot")), pdf.E("K", s.root.ref),
		pdf.E("ParentTree", pdf.Dict{pdf.E("Nums", numbers)}),
		pdf.E("ParentTreeNextKey", s.widgetKey(len(s.widgets))),
	})
}

func (n *node) alloc(w *output) {
	n.ref = w.Alloc()
	for _, c := range n.children {
		c.alloc(w)
	}
}

func (n *node) write(w *output, parent pdf.Ref) error {
	d := pdf.Dict{pdf.E("Type", pdf.Name("StructElem")), pdf.E("S", pdf.Name(n.tag)), pdf.E("P", parent)}
	if n.page != nil {
		d.Set("Pg", n.page.ref)
	}
	if n.alt != "" {
		d.Set("Alt", pdf.Text(n.alt))
	}
	if n.box != nil {
		d.Set("A", pdf.Dict{pdf.E("O", pdf.Name("Layout")), pdf.E("Placement", pdf.Name("Block")),
			pdf.E("BBox", n.box.array())})
	}
	if !n.widget.IsZero() {
		// The reference stands in /K itself, not in an array: there pyHanko, which compares
		// revisions, expects the field it sees signed; elsewhere it takes that for a change.
		d.Set("K", pdf.Dict{pdf.E("Type", pdf.Name("OBJR")), pdf.E("Obj", n.widget), pdf.E("Pg", n.page.ref)})
		return w.Put(n.ref, d)
	}
	var content pdf.Array
	for _, mcid := range n.marks {
		content = append(content, pdf.Integer(mcid))
	}
	for _, c := range n.children {
		content = append(content, c.ref)
		if err := c.write(w, n.ref); err != nil {
			return err
		}
	}
	d.Set("K", content)
	return w.Put(n.ref, d)
}

// array is the rectangle as PDF wants it: two corners.
func (r rect) array() pdf.Array {
	return pdf.Rect(round(r.x), round(r.y), round(r.x+r.width), round(r.y+r.height))
}
