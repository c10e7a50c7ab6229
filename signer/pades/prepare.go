package pades

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/saoy/saoy/signer/pdf"
)

// Prepare appends to base, a file of size bytes, a revision with an empty place for a
// signature, and computes the digest to be signed. It reads the base, all objects of it
// once and all bytes once, and writes nothing.
//
// Errors: pdf.ErrDamaged, pdf.ErrEncrypted, pdf.ErrLimit, ErrForbidden, ErrField, ErrOptions,
// pdf.ErrNoPage.
func Prepare(base io.ReaderAt, size int64, o Options) (*Prepared, error) {
	p, err := prepare(base, size, o, nil)
	if err == nil && o.Certificate != nil {
		sum := sha256.Sum256(o.Certificate.Raw)
		p.certificate = sum[:]
	}
	return p, err
}

// prepare is Prepare that also copies the base to out, unless that is nil.
func prepare(base io.ReaderAt, size int64, o Options, out io.Writer) (*Prepared, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	hash, err := o.hash()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	o.ContentsSize = o.reserve()
	r, err := openStrict(base, size, o.Limits)
	if err != nil {
		return nil, err
	}
	l, name, err := o.revise(r)
	if err != nil {
		return nil, err
	}
	p := &Prepared{kind: kindSignature, field: name, hash: hash, baseSize: size, layout: *l}
	return p, p.digestBase(base, out)
}

// openStrict opens a file of which every object is where and what its cross-reference says.
func openStrict(base io.ReaderAt, size int64, l pdf.Limits) (*pdf.Reader, error) {
	r, err := pdf.Open(base, size, l)
	if err != nil {
		return nil, err
	}
	return r, r.Check()
}

// revise lays the revision out and returns it with the name of its field.
func (o *Options) revise(r *pdf.Reader) (*layout, string, error) {
	e, err := newEdit(r)
	if err != nil {
		return nil, "", err
	}
	earlier, err := readPermissions(r, e.catalog, e.form)
	if err != nil {
		return nil, "", err
	}
	name := o.Field
	if name == "" {
		name = e.form.freeName("Signature")
	}
	if err := earlier.allow(name, o.Certify); err != nil {
		return nil, "", err
	}
	value := e.u.Alloc()
	if err := earlier.allowLock(o.Lock); err != nil {
		return nil, "", err
	}
	lock, err := o.place(e, name, value)
	if err != nil {
		return nil, "", err
	}
	if err := lock.allow(o.Certify); err != nil {
		return nil, "", err
	}
	references, err := o.references(e, lock, value)
	if err != nil {
		return nil, "", err
	}
	e.u.Set(value, o.signatureDict(references))
	if err := e.setSigFlags(); err != nil {
		return nil, "", err
	}
	l, err := e.layOut(value, o.ContentsSize)
	return l, name, err
}

// place fills or creates the field and returns its lock.
func (o *Options) place(e *edit, name string, value pdf.Ref) (*Lock, error) {
	x, exists := e.form.find(name)
	if !exists {
		return o.Lock, e.createField(name, value, placement{o.Page, o.Rect, o.Appearance, o.Lock})
	}
	if o.Lock != nil {
		return nil, fmt.Errorf("%w: the field %q exists, its lock is not ours to set", ErrOptions, name)
	}
	if err := e.fillField(x, value); err != nil {
		return nil, err
	}
	if err := o.checkSeed(e.r, x); err != nil {
		return nil, err
	}
	return readLock(e.r, x.lock)
}

// references returns the transforms of the signature.
func (o *Options) references(e *edit, lock *Lock, value pdf.Ref) (pdf.Array, error) {
	var out pdf.Array
	if o.Certify != 0 {
		out = append(out, docMDP(o.Certify))
		if err := e.setPermission(value); err != nil {
			return nil, err
		}
	}
	if lock != nil {
		out = append(out, fieldMDP(lock, e.catalogRef))
	}
	return out, nil
}

// layOut writes the update and cuts it around the signature's place.
func (e *edit) layOut(value pdf.Ref, reserve int) (*layout, error) {
	inc, err := e.u.Increment()
	if err != nil {
		return nil, err
	}
	return cut(inc.Bytes, inc.Offset(value), reserve, e.r.Size())
}

// digestBase reads the base once, copies it to out if that is not nil, and sets the digests.
func (p *Prepared) digestBase(base io.ReaderAt, out io.Writer) error {
	baseDigest, digest, err := digests(base, p.baseSize, p.hash, &p.layout, out)
	p.baseDigest, p.digest = baseDigest, digest
	return err
}

// copyBuffer fits the second-level cache beside what it is copied to: a byte is hashed and
// copied while it is there.
const copyBuffer = 128 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// stream copies r to w through a buffer of the pool.
func stream(w io.Writer, r io.Reader) (int64, error) {
	buf := copyBuffers.Get().(*[copyBuffer]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(w, onlyReader{r}, buf[:])
}

// digests hashes the base, then what of the increment the signature covers.
func digests(base io.ReaderAt, size int64, hash crypto.Hash, l *layout, out io.Writer) (baseDigest, digest []byte, err error) {
	h := hash.New()
	var w io.Writer = h
	if out != nil {
		w = &tee{h, out, portion(out)}
	}
	n, err := streamAll(w, base, size)
	if err != nil {
		return nil, nil, fmt.Errorf("base: %w", err)
	}
	if n != size {
		return nil, nil, fmt.Errorf("base: %w: %d bytes of %d", io.ErrUnexpectedEOF, n, size)
	}
	sums := make([]byte, 0, 2*hash.Size())
	sums = h.Sum(sums)
	_, _ = h.Write(l.head) // a hash takes everything
	_, _ = h.Write(l.tail)
	sums = h.Sum(sums)
	return sums[:hash.Size():hash.Size()], sums[hash.Size():], nil
}

// tee hashes what is written through it, in portions that are still in the cache when they
// are written on.
type tee struct {
	hash    hash.Hash
	out     io.Writer
	portion int
}

// portion is how much is hashed and written at a time: what fits the first-level cache if
// writing is a copy in memory, else as much as a buffer holds.
func portion(out io.Writer) int {
	if _, ok := out.(*bytes.Buffer); ok {
		return 8 << 10
	}
	return copyBuffer
}

// Write hashes and writes.
func (t *tee) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		part := p[written:min(len(p), written+t.portion)]
		_, _ = t.hash.Write(part) // a hash takes everything
		n, err := t.out.Write(part)
		written += n
		if err == nil && n < len(part) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// streamAll copies the size bytes of base to w. A file in memory is given to w as it is.
func streamAll(w io.Writer, base io.ReaderAt, size int64) (int64, error) {
	if m, ok := base.(*bytes.Reader); ok && m.Size() == size {
		whole := *m // its own position, so that the caller's stays
		if _, err := whole.Seek(0, io.SeekStart); err != nil {
			return 0, err
		}
		return whole.WriteTo(w)
	}
	return stream(w, io.NewSectionReader(base, 0, size))
}

// onlyReader hides WriteTo, so that CopyBuffer uses the buffer it is given.
type onlyReader struct{ io.Reader }
