package register

import (
	"bytes"
	"errors"
	"testing"
)

func TestProofsInOneFile(t *testing.T) {
	one := Proof{Leaf: []byte("leaf one"), Index: 3, Checkpoint: []byte("log\n4\nroot\n\n— log sig\n")}
	two := Proof{Leaf: []byte("leaf two"), Index: 7, Checkpoint: []byte("log\n9\nroot\n\n— log sig\n")}
	for _, want := range [][]Proof{{one}, {one, two}, {two, one, two}} {
		b := MarshalProofs(want)
		got, err := ParseProofs(b)
		if err != nil || len(got) != len(want) || !bytes.Equal(MarshalProofs(got), b) {
			t.Errorf("%d proofs: %v %+v", len(want), err, got)
		}
	}
	file := MarshalProofs([]Proof{one, two})
	for name, b := range map[string][]byte{"empty": nil, "text": []byte("hello\n"), "cut": file[:len(file)-30], "something before": append([]byte("x\n"), file...),
		"something between": bytes.Replace(file, []byte("— log sig\nc2sp"), []byte("— log sig\n\nx\n\nc2sp"), 1), "too many": MarshalProofs(make([]Proof, maxProofs+1))} {
		if got, err := ParseProofs(b); err == nil && !bytes.Equal(MarshalProofs(got), b) || err != nil && !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", name, err)
		} else if err == nil && name != "something between" && name != "cut" {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzParseProofs(f *testing.F) {
	one := Proof{Leaf: []byte("leaf"), Index: 3, Checkpoint: []byte("log\n4\nroot\n\n— log sig\n")}
	f.Add(MarshalProofs([]Proof{one, one}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParseProofs(b); err == nil && !bytes.Equal(MarshalProofs(p), b) {
			t.Fatalf("%q became %q", b, MarshalProofs(p))
		}
	})
}
