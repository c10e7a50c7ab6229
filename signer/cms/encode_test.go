package cms

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"testing"
)

// TestEncoder compares with encoding/asn1, in a buffer that is too small for anything.
func TestEncoder(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 70_000)
	serial, _ := new(big.Int).SetString("ff00112233445566778899aabbccddeeff", 16)
	for _, c := range []struct {
		name  string
		write func(*encoder)
		value any
	}{
		{"empty octets", func(e *encoder) { e.octets(nil) }, []byte{}},
		{"127 octets", func(e *encoder) { e.octets(long[:127]) }, long[:127]},
		{"128 octets", func(e *encoder) { e.octets(long[:128]) }, long[:128]},
		{"256 octets", func(e *encoder) { e.octets(long[:256]) }, long[:256]},
		{"70000 octets", func(e *encoder) { e.octets(long) }, long},
		{"zero", func(e *encoder) { e.integer(new(big.Int)) }, 0},
		{"127", func(e *encoder) { e.integer(big.NewInt(127)) }, 127},
		{"128", func(e *encoder) { e.integer(big.NewInt(128)) }, 128},
		{"serial", func(e *encoder) { e.integer(serial) }, serial},
		{"small", func(e *encoder) { e.small(3) }, 3},
		{"null", func(e *encoder) { e.null() }, asn1.NullRawValue},
		{"oid", func(e *encoder) { e.oid(OIDSigningCertificateV2) }, OIDSigningCertificateV2},
		{"joint oid", func(e *encoder) { e.oid(oidSHA256) }, oidSHA256},
		{"oid with a zero", func(e *encoder) { e.oid(asn1.ObjectIdentifier{2, 999, 0, 128, 1 << 20}) }, asn1.ObjectIdentifier{2, 999, 0, 128, 1 << 20}},
		{"nested", func(e *encoder) {
			e.octets(long[:200])
			e.small(1)
			e.wrap(tagSequence, 0)
		}, struct {
			V int
			B []byte
		}{1, long[:200]}},
	} {
		want, err := asn1.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		e := newEncoder(0)
		if c.write(e); !bytes.Equal(e.bytes(), want) {
			t.Errorf("%s: %x, want %x", c.name, e.bytes(), want)
		}
	}
}
