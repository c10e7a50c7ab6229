package register

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

func TestLeafRoundTrip(t *testing.T) {
	for _, k := range kinds {
		l := sample(k)
		b, err := l.Marshal()
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		again, err := ParseLeaf(b)
		if err != nil {
			t.Fatalf("%s: %v\n%s", k, err, b)
		}
		if !reflect.DeepEqual(again, l) {
			t.Errorf("%s: got %+v, want %+v", k, again, l)
		}
		if !again.Same(sample(storage.LeafIssue)) {
			t.Errorf("%s: does not name the same copy", k)
		}
	}
}

func TestLeafTimeIsCutToSeconds(t *testing.T) {
	l := sample(storage.LeafErase)
	l.Time = time.Date(2026, 11, 22, 16, 30, 15, 999_999_999, certcopy.Vietnam)
	b, err := l.Marshal()
	if err != nil || !strings.Contains(string(b), "\ntime: 2026-11-22T09:30:15Z\n") {
		t.Errorf("%v\n%s", err, b)
	}
}

func TestMarshalRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Leaf){
		"no kind":              func(l *Leaf) { l.Kind = "" },
		"unknown kind":         func(l *Leaf) { l.Kind = "reissue" },
		"no time":              func(l *Leaf) { l.Time = time.Time{} },
		"no agency":            func(l *Leaf) { l.Agency = "" },
		"agency of two lines":  func(l *Leaf) { l.Agency = "a\nbook: x" },
		"no book":              func(l *Leaf) { l.Book = "" },
		"book with line feed":  func(l *Leaf) { l.Book = "SCT/BS\nnumber: 1" },
		"book with separator":  func(l *Leaf) { l.Book = "SCT\u2028BS" },
		"book ends in space":   func(l *Leaf) { l.Book = "SCT/BS " },
		"no year":              func(l *Leaf) { l.Year = 0 },
		"number zero":          func(l *Leaf) { l.Number = 0 },
		"number negative":      func(l *Leaf) { l.Number = -1 },
		"no code":              func(l *Leaf) { l.CodeHash = certcopy.Digest{} },
		"no date":              func(l *Leaf) { l.Date = time.Time{} },
		"no file":              func(l *Leaf) { l.File = certcopy.Digest{} },
		"empty file":           func(l *Leaf) { l.Length = 0 },
		"no pages":             func(l *Leaf) { l.Pages = 0 },
		"type with diacritics": func(l *Leaf) { l.DocumentType = "bằng" },
		"no certificate":       func(l *Leaf) { l.AgencyCertificate = certcopy.Digest{} },
		"no commitment":        func(l *Leaf) { l.Commitment = certcopy.Digest{} },
	} {
		l := sample(storage.LeafIssue)
		spoil(&l)
		if b, err := l.Marshal(); !errors.Is(err, ErrLeaf) || b != nil {
			t.Errorf("%s: %v\n%s", name, err, b)
		}
	}
	for _, number := range []string{"", " 45", "45\u202e/QĐ", "45\x00", "\xff", strings.Repeat("x", 201)} {
		l := sample(storage.LeafAnnul)
		l.DecisionNumber = number
		if b, err := l.Marshal(); !errors.Is(err, ErrLeaf) {
			t.Errorf("decision %q: %v\n%s", number, err, b)
		}
	}
}

func TestParseLeafIsStrict(t *testing.T) {
	good, err := sample(storage.LeafIssue).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) string {
		out := strings.Replace(string(good), old, new, 1)
		if out == string(good) {
			t.Fatalf("edit %q changes nothing", old)
		}
		return out
	}
	for name, text := range map[string]string{
		"empty":              "",
		"header only":        leafHeader + "\n",
		"other version":      edit("v1", "v2"),
		"carriage returns":   strings.ReplaceAll(string(good), "\n", "\r\n"),
		"no last line feed":  strings.TrimSuffix(string(good), "\n"),
		"a line too many":    string(good) + "note: x\n",
		"an empty line":      string(good) + "\n",
		"kind of fewer":      edit("type: issue", "type: erase"),
		"leading zero":       edit("number: 123", "number: 0123"),
		"plus":               edit("number: 123", "number: +123"),
		"huge number":        edit("number: 123", "number: 99999999999999999999"),
		"upper-case digest":  edit(sample(storage.LeafIssue).File.String(), strings.ToUpper(sample(storage.LeafIssue).File.String())),
		"two spaces":         edit("agency: ", "agency:  "),
		"order of lines":     edit("year: 2026\nnumber: 123", "number: 123\nyear: 2026"),
		"time with fraction": edit("30:15Z", "30:15.0Z"),
		"time with offset":   edit("30:15Z", "30:15+00:00"),
		"no such day":        edit("date: 2026-11-22", "date: 2026-11-31"),
		"too long":           edit("book: ", "book: "+strings.Repeat("x", MaxLeafBytes)),
	} {
		if l, err := ParseLeaf([]byte(text)); !errors.Is(err, ErrLeaf) {
			t.Errorf("%s: %v, %+v", name, err, l)
		}
	}
}

// TestEveryChangedByteIsSeen: a leaf that parses after a change says something else.
func TestEveryChangedByteIsSeen(t *testing.T) {
	for _, k := range kinds {
		want := sample(k)
		good, _ := want.Marshal()
		for i := range good {
			for _, x := range []byte{1, 2, 0x20, 0x80} {
				bad := bytes.Clone(good)
				bad[i] ^= x
				if l, err := ParseLeaf(bad); err == nil && reflect.DeepEqual(l, want) {
					t.Fatalf("%s: byte %d ^ %#x is not seen", k, i, x)
				}
			}
		}
	}
}

func TestCommitment(t *testing.T) {
	salt := bytes.Repeat([]byte{7}, SaltBytes)
	f := PrivateFacts{Requester: "Nguyễn Văn An", Title: "Bằng tốt nghiệp", IssuingBody: "Sở GD&ĐT", Copies: 2}
	commit := func(f PrivateFacts, salt []byte) certcopy.Digest {
		d, err := f.Commit(salt)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	seen := map[certcopy.Digest]string{commit(f, salt): "as it was"}
	for i, other := range []PrivateFacts{
		{f.Requester + "\ntitle: " + f.Title, f.Title, f.IssuingBody, 2}, {f.Requester, f.Title + "\n", f.IssuingBody, 2}, {f.Requester, f.Title + `\n`, f.IssuingBody, 2},
		{f.Requester, "", f.Title + f.IssuingBody, 2}, {f.Requester, f.Title, f.IssuingBody, 3}, {"", "", "", 0}, {f.Requester, f.Title + "\r", f.IssuingBody, 2},
	} {
		d := commit(other, salt)
		if prev, dup := seen[d]; dup {
			t.Errorf("facts %d have the commitment of %s", i, prev)
		}
		seen[d] = fmt.Sprint(i)
	}
	if commit(f, bytes.Repeat([]byte{8}, SaltBytes)) == commit(f, salt) {
		t.Error("the salt changes nothing")
	}
	for _, n := range []int{0, 31, 33} {
		if _, err := f.Commit(make([]byte, n)); err == nil {
			t.Errorf("a salt of %d bytes passed", n)
		}
	}
}

func FuzzParseLeaf(f *testing.F) {
	for _, k := range kinds {
		b, _ := sample(k).Marshal()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseLeaf(b)
		if err != nil {
			return
		}
		again, err := l.Marshal()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is marshalled as %q, %v", b, again, err)
		}
	})
}
