package pdf

import (
	"bytes"
	"compress/zlib"
	"encoding/ascii85"
	"errors"
	"testing"
)

func deflate(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func base85(data []byte) []byte {
	b := make([]byte, ascii85.MaxEncodedLen(len(data)))
	return append(b[:ascii85.Encode(b, data)], "~>"...)
}

func predict(kind, colors, bits, columns int) Dict {
	return Dict{E("Predictor", Integer(kind)), E("Colors", Integer(colors)), E("BitsPerComponent", Integer(bits)), E("Columns", Integer(columns))}
}

func TestDecode(t *testing.T) {
	names := func(n ...Name) Array {
		a := Array{}
		for _, x := range n {
			a = append(a, x)
		}
		return a
	}
	for _, c := range []struct {
		name   string
		filter Object
		parms  Object
		data   []byte
		want   string
	}{
		{"none", nil, nil, []byte("abc"), "abc"},
		{"flate", Name("FlateDecode"), nil, deflate(t, []byte("abc")), "abc"},
		{"hex", Name("ASCIIHexDecode"), nil, []byte("61 6\n2 7>"), "abp"},
		{"base 85", Name("ASCII85Decode"), nil, base85([]byte("hello\x00\x00\x00\x00world")), "hello\x00\x00\x00\x00world"},
		{"run length", Name("RunLengthDecode"), nil, []byte{2, 'a', 'b', 'c', 254, 'x', 128, 9}, "abcxxx"},
		// the example of ISO 32000-2 §7.4.4.2
		{"LZW", Name("LZWDecode"), nil, []byte{0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01}, "-----A---B"},
		{"chain", names("ASCII85Decode", "FlateDecode"), nil, base85(deflate(t, []byte("abc"))), "abc"},
		{"abbreviated", names("A85", "Fl"), Array{Null{}, predict(12, 1, 8, 2)}, base85(deflate(t, []byte{2, 1, 2, 2, 1, 1})), "\x01\x02\x02\x03"},
		{"PNG none, sub", Name("FlateDecode"), predict(15, 1, 8, 3), deflate(t, []byte{0, 1, 2, 3, 1, 1, 1, 1}), "\x01\x02\x03\x01\x02\x03"},
		{"PNG average, Paeth", Name("FlateDecode"), predict(10, 1, 8, 2), deflate(t, []byte{0, 4, 8, 3, 1, 1, 4, 1, 1}), "\x04\x08\x03\x06\x04\x07"},
		{"PNG of two samples", Name("FlateDecode"), predict(11, 2, 8, 2), deflate(t, []byte{1, 1, 2, 3, 4}), "\x01\x02\x04\x06"},
		{"TIFF 8", Name("FlateDecode"), predict(2, 1, 8, 3), deflate(t, []byte{1, 1, 1}), "\x01\x02\x03"},
		{"TIFF 16", Name("FlateDecode"), predict(2, 1, 16, 2), deflate(t, []byte{0, 255, 0, 1}), "\x00\xff\x01\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Dict{}
			if c.filter != nil {
				d.Set("Filter", c.filter)
			}
			if c.parms != nil {
				d.Set("DecodeParms", c.parms)
			}
			got, err := NewStream(d, c.data).Decode()
			if err != nil || string(got) != c.want {
				t.Fatalf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	bomb := deflate(t, make([]byte, 8<<20))
	for _, c := range []struct {
		name   string
		filter Object
		parms  Object
		data   []byte
		want   error
	}{
		{"image filter", Name("DCTDecode"), nil, nil, ErrFilter},
		{"filter that is no name", Integer(1), nil, nil, ErrDamaged},
		{"bomb", Name("FlateDecode"), nil, bomb, ErrLimit},
		{"bomb in a bomb", Array{Name("FlateDecode"), Name("FlateDecode")}, nil, deflate(t, bomb), ErrLimit},
		{"nine filters", Array{Name("Fl"), Name("Fl"), Name("Fl"), Name("Fl"), Name("Fl"), Name("Fl"), Name("Fl"), Name("Fl"), Name("Fl")}, nil, nil, ErrLimit},
		{"not deflated", Name("FlateDecode"), nil, []byte("abc"), ErrDamaged},
		{"cut off", Name("FlateDecode"), nil, deflate(t, []byte("abcdef"))[:6], ErrDamaged},
		{"wrong checksum", Name("FlateDecode"), nil, append(deflate(t, []byte("abc"))[:7], 0, 0, 0, 0), ErrDamaged},
		{"no hexadecimal", Name("AHx"), nil, []byte("6x>"), ErrDamaged},
		{"no base 85", Name("A85"), nil, []byte("\x80~>"), ErrDamaged},
		{"base 85 too large", Name("A85"), nil, []byte("uuuuu~>"), ErrDamaged},
		{"LZW code out of the table", Name("LZW"), nil, []byte{0xFF, 0xFF}, ErrDamaged},
		{"run that ends", Name("RL"), nil, []byte{5, 'a'}, ErrDamaged},
		{"unknown predictor", Name("Fl"), predict(7, 1, 8, 1), deflate(t, nil), ErrDamaged},
		{"row too wide", Name("Fl"), predict(12, 32, 16, 1<<20), deflate(t, nil), ErrLimit},
		{"columns below 1", Name("Fl"), predict(12, 1, 8, 0), deflate(t, nil), ErrDamaged},
		{"unknown row filter", Name("Fl"), predict(12, 1, 8, 1), deflate(t, []byte{9, 1}), ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Dict{E("Filter", c.filter)}
			if c.parms != nil {
				d.Set("DecodeParms", c.parms)
			}
			if got, err := NewStream(d, c.data).Decode(); !errors.Is(err, c.want) {
				t.Fatalf("%d bytes, error %v; want %v", len(got), err, c.want)
			}
		})
	}
}

// TestLZWRoundTrip checks the widening of codes against a plain encoder.
func TestLZWRoundTrip(t *testing.T) {
	data := make([]byte, 20_000)
	for i := range data {
		data[i] = byte(i * i >> 3 % 7)
	}
	for early := range 2 {
		s := NewStream(Dict{E("Filter", Name("LZWDecode")), E("DecodeParms", Dict{E("EarlyChange", Integer(early))})}, lzw(data, early))
		got, err := s.Decode()
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("early change %d: %d of %d bytes, %v", early, len(got), len(data), err)
		}
	}
}

// lzw encodes as ISO 32000-2 §7.4.4.2 says.
func lzw(data []byte, early int) []byte {
	var out []byte
	bits, have := uint32(0), 0
	emit := func(code, width int) {
		bits = bits<<width | uint32(code)
		for have += width; have >= 8; have -= 8 {
			out = append(out, byte(bits>>(have-8)))
		}
	}
	table, width := map[string]int{}, 9
	reset := func() {
		emit(lzwClear, width)
		clear(table)
		for i := range 256 {
			table[string([]byte{byte(i)})] = i
		}
		width = 9
	}
	reset()
	next, run := 258, ""
	for _, c := range data {
		longer := run + string([]byte{c})
		if _, ok := table[longer]; ok {
			run = longer
			continue
		}
		emit(table[run], width)
		table[longer] = next
		next++
		if next+early > 1<<width {
			width++
		}
		if next == 4094 {
			reset()
			next = 258
		}
		run = string([]byte{c})
	}
	emit(table[run], width)
	emit(lzwEnd, width)
	emit(0, 7)
	return out
}
