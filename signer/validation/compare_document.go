package validation

import (
	"context"
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

// compare lists what differs between a signed revision and the file as it is now. An error
// means that the two could not be compared; then nothing may be concluded. work is how many
// objects may still be visited.
func compare(ctx context.Context, signed, now *pdf.Reader, may permissions, work *int) ([]change, error) {
	c := &comparer{ctx: ctx, old: view{signed}, new: view{now}, may: may, work: *work,
		equal: map[pair]bool{}, apart: map[pdf.Ref]bool{}, pages: map[pdf.Ref]bool{},
		newWidgets: map[pdf.Ref]widgetRole{}, oldWidgets: map[pdf.Ref]bool{}, seenFields: map[pdf.Ref]bool{}, seenElements: map[pdf.Ref]bool{}, redrawn: map[pdf.Ref]fieldState{}}
	defer func() { *work = c.work }()
	oldCat, _, err := c.old.dict(signed.Trailer().Get("Root"))
	if err != nil {
		return nil, err
	}
	newCat, ok, err := c.new.dict(now.Trailer().Get("Root"))
	if err != nil {
		return nil, err
	}
	if !ok {
		c.disallow(elsewhere.with("Root"))
		return c.changes, nil
	}
	// Signatures refer to the catalog as what they are about (ISO 32000-2 Table 256, /Data).
	c.apart[signed.Trailer().Ref("Root")] = true
	if err := c.collect(oldCat); err != nil {
		return nil, err
	}
	if err := c.catalog(oldCat, newCat); err != nil {
		return nil, err
	}
	if err := c.trailer(signed.Trailer(), now.Trailer()); err != nil {
		return nil, err
	}
	return c.changes, c.sharedAppearances()
}

// trailerOwn are keys that describe the cross-reference section itself.
var trailerOwn = []pdf.Name{"Size", "Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "Root", "DL"}

func (c *comparer) trailer(o, n pdf.Dict) error {
	for _, key := range unionKeys(o, n) {
		where := &trail{key: "Trailer/" + string(key)}
		switch {
		case slices.Contains(trailerOwn, key):
		case key == "Info":
			if err := c.info(o.Get(key), n.Get(key)); err != nil {
				return err
			}
		case key == "ID":
			if err := c.fileID(o.Get(key), n.Get(key), where); err != nil {
				return err
			}
		default:
			if err := c.mustEqual(valueOf(o, key), valueOf(n, key), false, where); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileID: the first identifier is permanent, the second changes with every save (ISO
// 32000-2 §14.4).
func (c *comparer) fileID(o, n pdf.Object, where *trail) error {
	oldID, err := c.old.array(o)
	if err != nil || len(oldID) == 0 {
		return err
	}
	newID, err := c.new.array(n)
	if err != nil || len(newID) == 0 {
		return err
	}
	return c.mustEqual(oldID[0], newID[0], false, where)
}

func (c *comparer) catalog(o, n pdf.Dict) error {
	if key, twice := ambiguous(n); twice {
		c.disallow(elsewhere.with("Root/" + string(key) + ", 2×"))
	}
	root := &trail{key: "Root"}
	// The form comes first: pages need to know which widgets are new.
	if err := c.form(o.Get("AcroForm"), n.Get("AcroForm"), root.to("AcroForm")); err != nil {
		return err
	}
	for _, key := range unionKeys(o, n) {
		if err := c.catalogKey(key, valueOf(o, key), valueOf(n, key), root.to(string(key))); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) catalogKey(key pdf.Name, o, n pdf.Object, where *trail) error {
	switch key {
	case "AcroForm":
		return nil
	case "Pages":
		return c.pageNode(o, n, where, 0)
	case "DSS":
		return c.validationData(o, n)
	case "Extensions":
		return c.extensions(o, n, where)
	case "Metadata":
		return c.metadata(o, n, where)
	case "Version":
		return c.version(o, n, where)
	case "StructTreeRoot":
		return c.structure(o, n, where)
	}
	return c.mustEqual(o, n, false, where)
}

// version: an update may raise the version, not lower it (ISO 32000-2 §7.2.2).
func (c *comparer) version(o, n pdf.Object, where *trail) error {
	oldV, err := c.old.get(o)
	if err != nil {
		return err
	}
	newV, err := c.new.get(n)
	if err != nil {
		return err
	}
	before, _ := oldV.(pdf.Name)
	after, isName := newV.(pdf.Name)
	if equalScalar(oldV, newV) {
		return nil
	}
	if !isName || after < before || !slices.Contains([]pdf.Name{"1.4", "1.5", "1.6", "1.7", "2.0"}, after) {
		c.disallow(elsewhere.with(where.String()))
		return nil
	}
	c.allow(both{"phiên bản PDF được nâng", "the PDF version was raised"})
	return nil
}

var extensionsChanged = both{"kê khai phần mở rộng PDF", "PDF extensions were declared"}

// extensions are declarations of developers: names, versions and levels, nothing that is
// shown (ISO 32000-2 §7.12). What was declared must stay.
func (c *comparer) extensions(o, n pdf.Object, where *trail) error {
	same, _, err := c.same(o, n, false, where)
	if err != nil || same {
		return err
	}
	oldExt, _, err := c.old.dict(o)
	if err != nil {
		return err
	}
	newExt, ok, err := c.new.dict(n)
	if err != nil {
		return err
	}
	if !ok {
		c.disallow(elsewhere.with(where.String()))
		return nil
	}
	for _, key := range unionKeys(oldExt, newExt) {
		plain, err := c.declaration(valueOf(newExt, key))
		if err != nil {
			return err
		}
		if !plain {
			c.disallow(elsewhere.with(where.to(string(key)).String()))
			return nil
		}
	}
	c.allow(extensionsChanged)
	return nil
}

// declaration reports whether o is made of dictionaries, arrays, names, numbers and strings
// no deeper than a developer extension needs.
func (c *comparer) declaration(o pdf.Object) (bool, error) { return c.shallow(o, 3) }

func (c *comparer) shallow(o pdf.Object, depth int) (bool, error) {
	if c.work--; c.work < 0 {
		return false, errTooComplex
	}
	o, err := c.new.get(o)
	if err != nil || depth == 0 {
		return false, err
	}
	switch o := o.(type) {
	case pdf.Dict:
		for _, e := range o {
			if ok, err := c.shallow(e.Value, depth-1); err != nil || !ok {
				return false, err
			}
		}
	case pdf.Array:
		for _, v := range o {
			if ok, err := c.shallow(v, depth-1); err != nil || !ok {
				return false, err
			}
		}
	case *pdf.Stream:
		return false, nil
	case pdf.Null:
		return false, nil
	}
	return true, nil
}

var dssChanged = both{"dữ liệu kiểm chứng dài hạn (DSS)", "validation data (DSS)"}

// validationData: a DSS may come and grow; it is a dictionary of arrays of streams and
// shows nothing (ETSI EN 319 142-1 §5.4.2). What draws from the same objects is compared
// where it is drawn.
func (c *comparer) validationData(o, n pdf.Object) error {
	where := &trail{key: "Root/DSS"}
	same, _, err := c.same(o, n, false, where)
	if err != nil || same {
		return err
	}
	dss, ok, err := c.new.dict(n)
	if err != nil {
		return err
	}
	for _, e := range dss {
		fits, err := c.dssEntry(e)
		if err != nil {
			return err
		}
		ok = ok && fits
	}
	if !ok {
		c.disallow(elsewhere.with(where.String()))
		return nil
	}
	c.allow(dssChanged)
	return nil
}

func (c *comparer) dssEntry(e pdf.Entry) (bool, error) {
	switch e.Key {
	case "Type":
		return true, nil
	case "Certs", "OCSPs", "CRLs":
		return c.streamsOnly(e.Value)
	case "VRI":
		vri, ok, err := c.new.dict(e.Value)
		if err != nil || !ok {
			return false, err
		}
		for _, v := range vri {
			if v.Key == "Type" {
				continue
			}
			if ok, err := c.vriEntry(v.Value); err != nil || !ok {
				return false, err
			}
		}
		return true, nil
	}
	return false, nil
}

func (c *comparer) vriEntry(o pdf.Object) (bool, error) {
	d, ok, err := c.new.dict(o)
	if err != nil || !ok {
		return false, err
	}
	for _, e := range d {
		switch e.Key {
		case "Cert", "OCSP", "CRL":
			if ok, err := c.streamsOnly(e.Value); err != nil || !ok {
				return false, err
			}
		case "Type", "TU":
		case "TS":
			o, err := c.new.get(e.Value)
			if _, ok := o.(*pdf.Stream); err != nil || !ok {
				return false, err
			}
		default:
			return false, nil
		}
	}
	return true, nil
}

// streamsOnly reports whether o is an array of streams.
func (c *comparer) streamsOnly(o pdf.Object) (bool, error) {
	o, err := c.new.get(o)
	if err != nil {
		return false, err
	}
	a, ok := o.(pdf.Array)
	for _, v := range a {
		if c.work--; c.work < 0 {
			return false, errTooComplex
		}
		v, err := c.new.get(v)
		if err != nil {
			return false, err
		}
		if _, isStream := v.(*pdf.Stream); !isStream {
			return false, nil
		}
	}
	return ok, nil
}
