package web

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := NewLimiter(func() time.Time { return now }, 10, 2)
	if left := l.Spend("a", 12); left != -2 || l.Enter("a") || !l.Enter("b") {
		t.Errorf("left %v", left)
	}
	now = now.Add(time.Second)
	if !l.Enter("a") || l.Spend("a", 0) != 0 {
		t.Error("a second gives two")
	}
	now = now.Add(-time.Hour)
	if l.Spend("a", 0) != 0 {
		t.Error("a clock that is put back")
	}
	now = now.Add(2 * time.Hour)
	if l.Spend("a", 0) != 10 {
		t.Error("never more than the budget")
	}
	for i := range maxSpenders + 10 {
		l.Spend(fmt.Sprint(i), 11)
	}
	if len(l.buckets) > maxSpenders {
		t.Errorf("%d remembered", len(l.buckets))
	}
}
