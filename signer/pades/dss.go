package pades

import (
	"crypto/sha1" // names VRI entries, proves nothing
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pdf"
)

// ValidationData is what a validator needs besides the signatures.
type ValidationData = signer.ValidationData

// VRIKey returns the key of a signature in /VRI: the SHA-1 of its whole /Contents string,
// padding included, in upper case hexadecimal (ETSI EN 319 142-1 §5.4.2.3).
func VRIKey(contents []byte) string {
	sum := sha1.Sum(contents)
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// AddValidationData returns the increment that adds v to the document security store of
// base, a file of size bytes: what the store has stays, what it has already is not added
// again (ISO 32000-2 §12.8.4.3, ETSI EN 319 142-1 §5.4.2). No signature forbids it. The
// increment is empty if there is nothing new. What v holds is not verified here.
func AddValidationData(base io.ReaderAt, size int64, v ValidationData) ([]byte, error) {
	return addValidationData(base, size, v, pdf.Limits{})
}

func addValidationData(base io.ReaderAt, size int64, v ValidationData, l pdf.Limits) ([]byte, error) {
	r, err := openStrict(base, size, l)
	if err != nil {
		return nil, err
	}
	e, err := newEdit(r)
	if err != nil {
		return nil, err
	}
	s, err := readStore(e)
	if err != nil {
		return nil, fmt.Errorf("/DSS: %w", err)
	}
	if err := s.add(&v); err != nil || !s.changed {
		return nil, err
	}
	if err := s.write(); err != nil {
		return nil, err
	}
	inc, err := e.u.Increment()
	if err != nil {
		return nil, err
	}
	return inc.Bytes, nil
}

// kinds of data with their keys in the store and in an entry of /VRI
var storeKinds = [3]struct{ store, vri pdf.Name }{{"Certs", "Cert"}, {"OCSPs", "OCSP"}, {"CRLs", "CRL"}}

func kindsOf(v *ValidationData) [3][][]byte { return [3][][]byte{v.Certs, v.OCSPs, v.CRLs} }

// store is the document security store in the making.
type store struct {
	e       *edit
	dict    pdf.Dict
	lists   [3]pdf.Array
	known   [3]map[[32]byte]pdf.Ref // by digest of the decoded stream
	vri     pdf.Dict
	changed bool
}

func readStore(e *edit) (*store, error) {
	s := &store{e: e}
	var err error
	if s.dict, err = e.r.Dict(e.catalog.Get("DSS")); err != nil {
		return nil, err
	}
	s.dict = s.dict.Clone()
	if s.vri, err = e.r.Dict(s.dict.Get("VRI")); err != nil {
		return nil, err
	}
	s.vri = s.vri.Clone()
	for i, k := range storeKinds {
		s.known[i] = map[[32]byte]pdf.Ref{}
		if s.lists[i], err = e.r.Array(s.dict.Get(k.store)); err != nil {
			return nil, err
		}
		s.lists[i] = append(pdf.Array(nil), s.lists[i]...)
		for _, o := range s.lists[i] {
			if err := s.learn(i, o); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// learn notes what a stream of the store holds.
func (s *store) learn(kind int, o pdf.Object) error {
	ref, isRef := o.(pdf.Ref)
	v, err := s.e.r.Resolve(o)
	if err != nil {
		return err
	}
	stream, ok := v.(*pdf.Stream)
	if !ok || !isRef {
		return fmt.Errorf("%w: /%s holds something that is not a stream", pdf.ErrDamaged, storeKinds[kind].store)
	}
	data, err := s.e.r.Decode(stream)
	if err != nil {
		return err
	}
	s.known[kind][sha256.Sum256(data)] = ref
	return nil
}

func (s *store) add(v *ValidationData) error {
	for kind, items := range kindsOf(v) {
		for _, der := range items {
			s.put(kind, der)
		}
	}
	for _, key := range sortedKeys(v.VRI) {
		entry := v.VRI[key]
		if err := s.relate(pdf.Name(key), &entry); err != nil {
			return err
		}
	}
	return nil
}

// put returns the stream that holds der, a new one if need be.
func (s *store) put(kind int, der []byte) pdf.Ref {
	sum := sha256.Sum256(der)
	if ref, ok := s.known[kind][sum]; ok {
		return ref
	}
	ref := s.e.u.Add(pdf.NewFlateStream(nil, der))
	s.known[kind][sum] = ref
	s.lists[kind] = append(s.lists[kind], ref)
	s.changed = true
	return ref
}

// relate writes the /VRI entry of a signature that has none. One that is there stays as it
// is: it tells what was known when it was made, all that is new is in the store itself, and
// validators (pyHanko among them) take a changed entry for a suspicious modification.
func (s *store) relate(key pdf.Name, v *ValidationData) error {
	old, err := s.e.r.Dict(s.vri.Get(key))
	if err != nil {
		return err
	}
	var d pdf.Dict
	for kind, items := range kindsOf(v) {
		var list pdf.Array
		for _, der := range items {
			if ref := s.put(kind, der); !containsRef(list, ref) {
				list = append(list, ref)
			}
		}
		if len(list) > 0 {
			d.Set(storeKinds[kind].vri, list)
		}
	}
	if old == nil {
		s.vri.Set(key, s.e.u.Add(d))
		s.changed = true
	}
	return nil
}

func containsRef(a pdf.Array, ref pdf.Ref) bool {
	for _, o := range a {
		if o == pdf.Object(ref) {
			return true
		}
	}
	return false
}

// write puts the store into the catalog, as an object of its own.
func (s *store) write() error {
	s.dict.Set("Type", pdf.Name("DSS"))
	for kind, k := range storeKinds {
		if len(s.lists[kind]) > 0 {
			s.dict.Set(k.store, s.lists[kind])
		}
	}
	if len(s.vri) > 0 {
		s.dict.Set("VRI", s.vri)
	}
	if at := s.e.catalog.Ref("DSS"); !at.IsZero() {
		s.e.u.Set(at, s.dict)
	} else {
		s.e.setCatalog("DSS", s.e.u.Add(s.dict))
	}
	return s.e.declareExtension()
}

// declareExtension says in the catalog of a file before PDF 2.0 that it uses what ETSI added
// to PDF 1.7 (ISO 32000-1 §7.12, ETSI EN 319 142-1 §5.6).
func (e *edit) declareExtension() error {
	version := e.r.Version()
	if v, ok := e.catalog.Get("Version").(pdf.Name); ok && string(v) > version {
		version = string(v)
	}
	if version >= "2.0" {
		return nil
	}
	extensions, err := e.r.Dict(e.catalog.Get("Extensions"))
	if err != nil || extensions.Has("ESIC") {
		return err
	}
	extensions = extensions.Clone()
	extensions.Set("ESIC", pdf.Dict{pdf.E("BaseVersion", pdf.Name("1.7")), pdf.E("ExtensionLevel", pdf.Integer(2))})
	if at := e.catalog.Ref("Extensions"); !at.IsZero() {
		e.u.Set(at, extensions)
		return nil
	}
	e.setCatalog("Extensions", extensions)
	return nil
}

func sortedKeys(m map[string]ValidationData) []string {
	return slices.Sorted(maps.Keys(m))
}
