package pdf

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

const maxFilters = 8

// NewFlateStream makes a stream of data, compressed; d's /Filter is set.
func NewFlateStream(d Dict, data []byte) *Stream {
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, zlib.BestCompression) // the level is valid
	_, _ = z.Write(data)                                  // a buffer takes everything
	_ = z.Close()
	d = d.Clone()
	d.Delete("DecodeParms")
	d.Set("Filter", Name("FlateDecode"))
	return NewStream(d, b.Bytes())
}

// Decode returns the data with all filters undone: FlateDecode and LZWDecode with their
// predictors, ASCIIHexDecode, ASCII85Decode and RunLengthDecode (ISO 32000-2 §7.4).
// /Filter and /DecodeParms must be direct objects, as they always are in cross-reference
// and object streams; see Reader.Decode for others. It returns ErrFilter for the filters of
// images, ErrLimit beyond Limits, ErrDamaged for data that a filter cannot read.
func (s *Stream) Decode() ([]byte, error) {
	r, err := s.decoder(s.Dict.Get("Filter"), s.Dict.Get("DecodeParms"))
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	switch {
	case err == nil:
		return b, nil
	case errors.Is(err, ErrLimit), errors.Is(err, ErrDamaged):
		return nil, err
	}
	return nil, damaged(s.offset, Ref{}, "stream data: %v", err)
}

// Decode is Stream.Decode with /Filter and /DecodeParms resolved.
func (r *Reader) Decode(s *Stream) ([]byte, error) {
	d := Dict{}
	for _, key := range []Name{"Filter", "DecodeParms"} {
		v, err := r.resolveDeep(s.Dict.Get(key), 4)
		if err != nil {
			return nil, err
		}
		d.Set(key, v)
	}
	direct := *s
	direct.Dict = d
	return direct.Decode()
}

// resolveDeep resolves o and, to a depth, what it holds.
func (r *Reader) resolveDeep(o Object, depth int) (Object, error) {
	o, err := r.Resolve(o)
	if err != nil || depth == 0 {
		return o, err
	}
	switch v := o.(type) {
	case Array:
		out := make(Array, len(v))
		for i := range v {
			if out[i], err = r.resolveDeep(v[i], depth-1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case Dict:
		out := make(Dict, len(v))
		for i := range v {
			value, err := r.resolveDeep(v[i].Value, depth-1)
			if err != nil {
				return nil, err
			}
			out[i] = Entry{v[i].Key, value}
		}
		return out, nil
	}
	return o, nil
}

// decoder stacks the filters over the raw data and bounds what comes out.
func (s *Stream) decoder(filters, parms Object) (io.Reader, error) {
	names := asArray(filters)
	params := asArray(parms)
	if len(names) > maxFilters {
		return nil, fmt.Errorf("%w: more than %d filters on one stream", ErrLimit, maxFilters)
	}
	l := s.limits.withDefaults()
	bound := min(l.DecodedBytes, max(1<<20, saturate(s.length, l.ExpansionRatio)))
	var r io.Reader = s.Raw()
	for i, f := range names {
		name, ok := f.(Name)
		if !ok {
			return nil, damaged(s.offset, Ref{}, "/Filter holds something that is not a name")
		}
		var d Dict
		if i < len(params) {
			d, _ = params[i].(Dict)
		}
		var err error
		if r, err = applyFilter(r, name, d); err != nil {
			if errors.Is(err, ErrFilter) || errors.Is(err, ErrLimit) {
				return nil, err
			}
			return nil, damaged(s.offset, Ref{}, "%s: %v", name, err)
		}
		// Each stage is bounded: one that gives much may feed one that gives nothing.
		r = &boundedReader{r: r, left: bound, spent: s.spent, total: l.DecodedTotal}
	}
	return r, nil
}

func saturate(a, b int64) int64 {
	if a > (1<<62)/b {
		return 1 << 62
	}
	return a * b
}

func asArray(o Object) Array {
	switch v := o.(type) {
	case nil, Null:
		return nil
	case Array:
		return v
	}
	return Array{o}
}

func applyFilter(r io.Reader, name Name, parms Dict) (io.Reader, error) {
	switch name {
	case "FlateDecode", "Fl":
		z, err := zlib.NewReader(bufio.NewReader(r))
		if err != nil {
			return nil, err
		}
		return newPredictor(z, parms)
	case "LZWDecode", "LZW":
		return newPredictor(newLZWReader(r, parms), parms)
	case "ASCIIHexDecode", "AHx":
		return &asciiHexReader{r: bufio.NewReader(r)}, nil
	case "ASCII85Decode", "A85":
		return &ascii85Reader{r: bufio.NewReader(r)}, nil
	case "RunLengthDecode", "RL":
		return &runLengthReader{r: bufio.NewReader(r)}, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrFilter, name)
}

// boundedReader ends with ErrLimit when a stream, or all streams of a file together, give
// more than they may.
type boundedReader struct {
	r     io.Reader
	left  int64
	spent *int64
	total int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.spent != nil {
		*b.spent += int64(n)
		if *b.spent > b.total {
			return 0, fmt.Errorf("%w: the streams of the file decode to more than %d bytes", ErrLimit, b.total)
		}
	}
	if b.left < 0 {
		return 0, fmt.Errorf("%w: a stream decodes to too many bytes", ErrLimit)
	}
	return n, err
}
