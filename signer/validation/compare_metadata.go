package validation

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/saoy/saoy/signer/pdf"
)

// maxMetadata bounds the XMP packet that is compared.
const maxMetadata = 1 << 20

var (
	metadataChanged    = both{"ngày sửa trong thông tin tài liệu", "the modification date in the document information"}
	descriptionChanged = both{"thông tin mô tả tài liệu bị sửa (%s)", "the description of the document was altered (%s)"}
)

// info: dates and the program that saved may change, what describes the document may not
// (ISO 32000-2 §14.3.3).
func (c *comparer) info(o, n pdf.Object) error {
	oldInfo, _, err := c.old.dict(o)
	if err != nil {
		return err
	}
	newInfo, _, err := c.new.dict(n)
	if err != nil {
		return err
	}
	for _, key := range unionKeys(oldInfo, newInfo) {
		where := &trail{key: "Trailer/Info/" + string(key)}
		same, _, err := c.same(valueOf(oldInfo, key), valueOf(newInfo, key), false, where)
		switch {
		case err != nil:
			return err
		case same:
		case slices.Contains([]pdf.Name{"ModDate", "Producer", "CreationDate", "Creator"}, key):
			c.allow(metadataChanged)
		default:
			c.disallow(descriptionChanged.with(where.String()))
		}
	}
	return nil
}

// metadata: an XMP packet may change in dates, identifiers and the program that saved.
func (c *comparer) metadata(o, n pdf.Object, where *trail) error {
	same, _, err := c.same(o, n, false, where)
	if err != nil || same {
		return err
	}
	if c.work -= maxMetadata / 64; c.work < 0 {
		return errTooComplex
	}
	if same, err := c.sameKind(o, n, where); err != nil {
		return err
	} else if !same {
		c.disallow(descriptionChanged.with(where.String()))
		return nil
	}
	before, err := packet(c.old, o)
	if err != nil {
		return err
	}
	after, err := packet(c.new, n)
	if err != nil {
		return err
	}
	if before == nil || after == nil || !slices.Equal(before, after) {
		c.disallow(descriptionChanged.with(where.String()))
		return nil
	}
	c.allow(metadataChanged)
	return nil
}

// sameKind compares the dictionaries of two packets but for how they are stored. A packet that
// was not there may come as any.
func (c *comparer) sameKind(o, n pdf.Object, where *trail) (bool, error) {
	before, err := c.old.get(o)
	if err != nil {
		return false, err
	}
	after, err := c.new.get(n)
	if err != nil {
		return false, err
	}
	s, ok := before.(*pdf.Stream)
	t, both := after.(*pdf.Stream)
	if !ok || !both {
		return true, nil // packet tells
	}
	x, y := s.Dict.Clone(), t.Dict.Clone()
	for _, key := range []pdf.Name{"Length", "Filter", "DecodeParms"} {
		x.Delete(key)
		y.Delete(key)
	}
	same, _, err := c.same(x, y, false, where)
	return same, err
}

// packet returns the tokens of an XMP packet without those every save rewrites: none if there
// is no packet, nil if it cannot be read as XML.
func packet(v view, o pdf.Object) ([]string, error) {
	o, err := v.get(o)
	if err != nil {
		return nil, err
	}
	if _, absent := o.(pdf.Null); absent {
		return []string{}, nil
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return nil, nil
	}
	if s.Len() > maxMetadata {
		return nil, nil
	}
	data, err := v.r.Decode(s)
	if err != nil || len(data) > maxMetadata {
		return nil, nil //nolint:nilerr // what cannot be decoded cannot be compared: not the same
	}
	return tokens(data), nil
}

// rewritten are properties that every save writes anew (ISO 16684-1).
var rewritten = []string{"ModifyDate", "MetadataDate", "Producer", "CreatorTool", "CreateDate", "InstanceID", "History", "VersionID"}

// wrappers are elements that only hold properties.
var wrappers = []string{"xmpmeta", "RDF", "Description"}

func tokens(data []byte) []string {
	d := xml.NewDecoder(bytes.NewReader(data))
	out := []string{}
	for skip := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			return nil
		}
		switch t := t.(type) {
		case xml.StartElement:
			if skip > 0 || slices.Contains(rewritten, t.Name.Local) {
				skip++
				continue
			}
			out = append(out, startTokens(t)...)
		case xml.EndElement:
			if skip > 0 {
				skip--
			}
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); skip == 0 && text != "" {
				out = append(out, text)
			}
		}
	}
}

// startTokens makes a property written as an attribute look like one written as an element.
func startTokens(t xml.StartElement) []string {
	var out []string
	if !slices.Contains(wrappers, t.Name.Local) {
		out = append(out, t.Name.Space+" "+t.Name.Local)
	}
	for _, a := range t.Attr {
		if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" || a.Name.Local == "xmptk" ||
			a.Name.Local == "about" && a.Value == "" || slices.Contains(rewritten, a.Name.Local) {
			continue
		}
		out = append(out, a.Name.Space+" "+a.Name.Local, a.Value)
	}
	return out
}
