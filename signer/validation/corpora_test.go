package validation

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var at2026 = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func examine(t *testing.T, path string) *Report {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return validate(t, b, Options{At: at2026})
}

// sentences joins all that a report says in English.
func sentences(r *Report) string {
	var b strings.Builder
	for _, s := range r.Signatures {
		for _, c := range s.Checks {
			b.WriteString(c.EN + "\n")
		}
	}
	return b.String() + strings.Join(r.Warnings, "\n")
}

// TestAttacks: the published attacks of 2018 fail, each by its name.
func TestAttacks(t *testing.T) {
	names := map[string]string{"isa": "incremental saving attack", "siwa": "signature wrapping attack", "usf_0": "universal signature forgery", "usf_1": "no /ByteRange", "usf_04": "malformed"}
	for _, path := range corpus(t, "attacks") {
		file := filepath.Base(path)
		t.Run(file, func(t *testing.T) {
			r := examine(t, path)
			if r.Indication != TotalFailed || r.Integrity != Modified && r.Integrity != Broken || len(r.Signatures) == 0 {
				logReport(t, r)
				t.Fatalf("%s, integrity %s, %d signatures", r.Indication, r.Integrity, len(r.Signatures))
			}
			want, length := "", 0
			for prefix, name := range names {
				if strings.HasPrefix(file, prefix) && len(prefix) > length {
					want, length = name, len(prefix)
				}
			}
			if !strings.Contains(sentences(r), want) {
				logReport(t, r)
				t.Errorf("not named as %q", want)
			}
		})
	}
}

// TestPAdESSamples: level and integrity of files other producers made.
func TestPAdESSamples(t *testing.T) {
	want := map[string]struct {
		level     Level
		integrity Integrity
	}{
		"ETSI.CAdES.detached_testPAdES_BB.pdf":   {LevelB, Intact},
		"ETSI.CAdES.detached_testPAdES_BT.pdf":   {LevelT, Intact},
		"ETSI.CAdES.detached_testPAdES_BLT.pdf":  {LevelLT, Intact},
		"ETSI.CAdES.detached_testPAdES_BLTA.pdf": {LevelLTA, Intact},
		"adbe.pkcs7.detached_sample1.pdf":        {LevelNone, Intact},
		"adbe.pkcs7.detached_sample2.pdf":        {LevelNone, Intact},
		"adbe.x509.rsa_sha1_sample01.pdf":        {LevelNone, IntegrityNotChecked}, // a serial number below zero: no certificate by RFC 5280
		"adbe.pkcs7.detached_usageRights.pdf":    {"", IntegrityNone},
	}
	for _, path := range corpus(t, "pades") {
		w, ok := want[filepath.Base(path)]
		if !ok {
			continue
		}
		r := examine(t, path)
		level := Level("")
		if len(r.Signatures) > 0 {
			level = r.Signatures[0].Level
		}
		if r.Integrity != w.integrity || level != w.level || r.Passed() {
			logReport(t, r)
			t.Errorf("%s: integrity %s, level %q; want %s, %q", filepath.Base(path), r.Integrity, level, w.integrity, w.level)
		}
	}
}

// TestPyHanko: the integrity of every signed file of another validator's test data is what
// that validator finds, except where the reason stands beside it.
func TestPyHanko(t *testing.T) {
	want := map[string]Integrity{
		"coverage-anomalies_base.pdf":                                      Broken, // the placeholder was never filled
		"coverage-anomalies_one-byterange.pdf":                             Broken,
		"coverage-anomalies_signature-gap-too-big.pdf":                     Broken,
		"coverage-anomalies_tail-uncovered.pdf":                            Broken,
		"coverage-anomalies_weird-byterange.pdf":                           Broken,
		"ed448-disallowed-hash.pdf":                                        IntegrityNotChecked, // Ed448 is not supported
		"ed448-shake256-nolen.pdf":                                         IntegrityNotChecked,
		"extensions-indirect-not-all-paths.pdf":                            Modified,
		"form-update-ap-indirect-sneaky-trailer.pdf":                       Modified,
		"form-update-no-override-appearance-stream-ap-indirect-sneaky.pdf": Modified,
		"form-update-override-appearance-stream-ap-indirect-sneaky.pdf":    Modified,
		"form-update-override-appearance-stream-sneaky.pdf":                Modified,
		"pdf-sig-with-econtent.pdf":                                        Broken, // detached, with content
		"signed-encrypted-pubkey-with-catalog-ref.pdf":                     IntegrityNotChecked,
	}
	signed := 0
	for _, path := range corpus(t, "pyhanko") {
		r := examine(t, path)
		if r.Passed() {
			t.Errorf("%s passed without a trust anchor", filepath.Base(path))
		}
		if len(r.Signatures) == 0 {
			continue
		}
		signed++
		w, ok := want[filepath.Base(path)]
		if !ok {
			w = Intact
		}
		if r.Integrity != w {
			logReport(t, r)
			t.Errorf("%s: integrity %s, want %s", filepath.Base(path), r.Integrity, w)
		}
		if r.Issuer == Trusted {
			t.Errorf("%s: trusted without an anchor", filepath.Base(path))
		}
	}
	if signed < 30 {
		t.Errorf("only %d signed files were found", signed)
	}
}

// FuzzFile: no panic, and no file that was changed passes.
func FuzzFile(f *testing.F) {
	o := newOffice(f)
	signed := o.copy(newDocument(f))
	last := bytes.LastIndex(signed, []byte("/ETSI.CAdES.detached"))
	end := last + bytes.Index(signed[last:], []byte("%%EOF\n"))
	f.Add(uint32(0), byte(1), []byte{})
	f.Add(uint32(1000), byte(0x20), []byte("\n1 0 obj <<>> endobj"))
	f.Add(uint32(len(signed)-30), byte(2), []byte("%%EOF"))
	opts := o.options()
	f.Fuzz(func(t *testing.T, at uint32, flip byte, tail []byte) {
		data := append(bytes.Clone(signed), tail...)
		i := int(at) % len(signed)
		data[i] ^= flip
		r := validate(t, data, opts)
		inRange := i < end && !inPlaceOf(signed, i)
		if r.Passed() && flip != 0 && inRange {
			t.Fatalf("byte %d changed by %02x passed", i, flip)
		}
		if r.Passed() && len(bytes.TrimSpace(bytes.ReplaceAll(tail, []byte{0}, nil))) > 0 && flip == 0 {
			r2, _ := File(t.Context(), bytes.NewReader(data), int64(len(data)), opts)
			t.Fatalf("passed with %q appended: %+v", tail, r2.Signatures[0].Changes)
		}
	})
}

// inPlaceOf reports whether an offset lies in the hexadecimal string of a signature, which
// the signature itself cannot cover.
func inPlaceOf(data []byte, i int) bool {
	from := bytes.LastIndex(data[:i+1], []byte("/Contents <"))
	return from >= 0 && i <= from+bytes.IndexByte(data[from:], '>')
}
