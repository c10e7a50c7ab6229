package desk

import (
	"testing"
	"time"
)

const id = "018f4e6a-0000-7000-8000-0123456789ab"

func TestCursorReadsBack(t *testing.T) {
	c := Cursor{At: time.Date(2026, 7, 1, 2, 3, 4, 5000, time.UTC), Copy: id}
	if got, err := ParseCursor(c.String()); err != nil || got != c {
		t.Errorf("%+v %v, want %+v", got, err, c)
	}
	if got, err := ParseCursor((Cursor{}).String()); err != nil || !got.IsZero() {
		t.Errorf("the beginning reads back as %+v %v", got, err)
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(Cursor{At: time.Unix(1, 0), Copy: id}.String())
	f.Add("x")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCursor(s)
		if err != nil || c.IsZero() {
			return
		}
		if back, err := ParseCursor(c.String()); err != nil || back != c {
			t.Errorf("%q: %+v reads back as %+v %v", s, c, back, err)
		}
	})
}

func TestIsID(t *testing.T) {
	for s, want := range map[string]bool{id: true, "": false, "018F4E6A-0000-7000-8000-0123456789AB": false, id[1:] + "-": false, id + "0": false, "018f4e6a-0000-7000-8000-0123456789a'": false} {
		if IsID(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestLinkOpens(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		l    Link
		want bool
	}{
		{Link{Expires: now.Add(time.Second)}, true}, {Link{Expires: now}, false}, {Link{}, false},
		{Link{Expires: now.Add(time.Hour), Revoked: now}, false},
	} {
		if c.l.Opens(now) != c.want {
			t.Errorf("%+v: %v", c.l, !c.want)
		}
	}
}
