package public

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

func TestDrawnPages(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	d := newDrawn(func() time.Time { return now }, 1000)
	draws := 0
	get := func(n, size int) {
		t.Helper()
		b, err := d.get(t.Context(), page{certcopy.Digest{1}, n}, func() ([]byte, error) { draws++; return make([]byte, size), nil })
		if err != nil || len(b) != size {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
	}
	get(1, 400)
	get(1, 400)
	get(2, 400)
	if draws != 2 || d.bytes != 800 {
		t.Errorf("%d drawn, %d bytes", draws, d.bytes)
	}
	get(1, 400) // used last, so 2 goes
	get(3, 400)
	get(1, 400)
	if draws != 3 || d.bytes != 800 || len(d.pages) != 2 {
		t.Errorf("%d drawn, %d bytes, %d pages", draws, d.bytes, len(d.pages))
	}
	now = now.Add(keepDrawn)
	get(1, 300)
	if draws != 4 || d.bytes != 700 {
		t.Errorf("after its time: %d drawn, %d bytes", draws, d.bytes)
	}
	get(4, 5000) // larger than all: shown, not kept
	if d.bytes != 0 || len(d.pages) != 0 || d.order.Len() != 0 {
		t.Errorf("%d bytes, %d pages", d.bytes, len(d.pages))
	}
	fault := errors.New("cannot draw")
	if _, err := d.get(t.Context(), page{number: 5}, func() ([]byte, error) { return nil, fault }); !errors.Is(err, fault) || len(d.pages) != 0 {
		t.Errorf("%v, %d pages", err, len(d.pages))
	}
}

// TestDrawnOnce: many who open a link at once have each page drawn once; if the one who draws
// leaves, another draws, and who leaves does not wait.
func TestDrawnOnce(t *testing.T) {
	d := newDrawn(time.Now, 1<<20)
	var draws atomic.Int32
	begun, start := make(chan struct{}), make(chan struct{})
	var once sync.Once
	draw := func() ([]byte, error) {
		once.Do(func() { close(begun) })
		<-start
		if draws.Add(1) == 1 {
			return nil, context.Canceled
		}
		return []byte("jpeg"), nil
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := d.get(t.Context(), page{number: 1}, draw); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	<-begun
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.get(gone, page{number: 1}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(start)
	all.Wait()
	if draws.Load() != 2 || d.bytes != 4 {
		t.Errorf("drawn %d times, %d bytes", draws.Load(), d.bytes)
	}
}
