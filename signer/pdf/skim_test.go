package pdf

import (
	"testing"
)

// FuzzSkim: what is skimmed and what is parsed agree on what an object is and where it ends;
// only a key that occurs twice is refused by the one alone.
func FuzzSkim(f *testing.F) {
	for _, s := range []string{
		"1 0 obj <</Length 5/A[1 -2.5 +.5 4.]/B(a\\(b\\)\\053\\\n)/C<48 65 6>>> stream\n12345\nendstream endobj",
		"1 0 obj<</Length 12 0 R/F null>>stream\r\n", "7 0 obj [1 0 R 2 0 R 3 4] endobj", "1 0 obj/A#20B endobj", "1 0 obj<</A 1/#41 2>>endobj",
		"1 0 obj<</Length +5>>stream\n", "1 0 obj<</Length 99999999999999999999>>stream\n", "1 0 obj<</Length<</A 1/A 2>>>>endobj", "1 0 obj<</F 1/Length 3.0>>stream\n",
		"1 0 obj<</Length 3 0 R>>endobj", "1 0 obj 9999999999 0 R endobj", "1 0 obj(((a)\r\n)\\", "1 0 obj<<>>%x\nendobj",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		full, skim := parser{b: data, depth: 20}, parser{b: data, depth: 20}
		var o indirect
		errFull, errSkim := full.indirect(&o), skim.skimIndirect()
		if errFull != nil {
			if errSkim == nil {
				t.Fatalf("%q is skimmed, but parsing says %v", data, errFull)
			}
			return
		}
		if twice := duplicate(o.object); twice != (errSkim != nil) {
			t.Fatalf("%q parses, a key occurs twice: %v, skimming says %v", data, twice, errSkim)
		}
		if errSkim != nil {
			return
		}
		seen := skim.seen
		if full.pos != skim.pos || full.hitEnd != skim.hitEnd || full.values != skim.values ||
			o.ref != seen.ref || o.isStream != seen.isStream || o.data != seen.data {
			t.Fatalf("%q: parsed %+v, skimmed %+v", data, full, skim)
		}
		if d, ok := o.object.(Dict); ok {
			compareLength(t, d, seen)
		}
	})
}

func compareLength(t *testing.T, d Dict, seen skimmed) {
	t.Helper()
	if d.Has("F") != seen.hasFile || d.Ref("Length") != seen.lengthRef {
		t.Fatalf("%#v skimmed as %+v", d, seen)
	}
	if n, ok := d.Int("Length"); ok && n >= 0 && n != seen.length || ok && n >= 0 && !seen.hasLength || !ok && seen.hasLength && seen.length >= 0 {
		t.Fatalf("%#v skimmed as %+v", d, seen)
	}
}

// duplicate reports whether a key occurs twice, at any depth.
func duplicate(o Object) bool {
	switch v := o.(type) {
	case Array:
		for _, item := range v {
			if duplicate(item) {
				return true
			}
		}
	case Dict:
		_, twice := v.Duplicate()
		for _, e := range v {
			twice = twice || duplicate(e.Value)
		}
		return twice
	}
	return false
}
