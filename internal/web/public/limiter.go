package public

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/web"
)

// What looking up costs, and what a network has to spend. A code that exists costs little, so
// that an office behind one address can work; guessing soon costs everything.
const (
	costHit    = 1
	costMiss   = 8
	costUpload = 8
	budget     = 240.0
	perSecond  = 4.0
	// maxNetworks bounds the memory of the limiter; the oldest are forgotten.
	maxNetworks = 50_000
)

// limiter is a token bucket for each network that visitors come from. It is of one process:
// several share the load and each keeps its own.
type limiter struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket // guarded by mu
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, buckets: make(map[string]bucket)}
}

// errTooMany: the visitor's network has spent its budget.
var errTooMany = errors.New("too many look-ups")

// handle leaves errors to the site, but for the one it has no code for.
func (s *Site) handle(h web.HandlerFunc) http.HandlerFunc {
	return s.site.Handle(func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		if !errors.Is(err, errTooMany) {
			return err
		}
		s.site.WriteProblem(w, r, web.Problem{Type: "about:blank", Title: http.StatusText(http.StatusTooManyRequests),
			Status: http.StatusTooManyRequests, Code: certcopy.Unavailable, Reference: web.Reference(r.Context()),
			VI: "Có quá nhiều lượt tra cứu từ mạng của bạn. Hãy chờ một phút rồi thử lại.",
			EN: "There were too many look-ups from your network. Wait a minute and try again."})
		return nil
	})
}

// enter refuses a visitor whose network has nothing left.
func (l *limiter) enter(r *http.Request) error {
	if l.spend(r, 0) < 0 {
		return errTooMany
	}
	return nil
}

// spend takes cost from the visitor's network and returns what is left, which may be negative.
func (l *limiter) spend(r *http.Request, cost float64) float64 {
	network, now := web.TruncatedIP(r.RemoteAddr), l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[network]
	if !ok {
		l.forget(now)
		b = bucket{left: budget, at: now}
	}
	// A clock that is put back gives nothing and takes nothing.
	b.left = min(budget, b.left+max(0, now.Sub(b.at).Seconds())*perSecond) - cost
	b.at = now
	l.buckets[network] = b
	return b.left
}

// forget drops networks whose budget is whole again, and all if that is not enough: a flood
// from everywhere must not fill the memory.
func (l *limiter) forget(now time.Time) {
	if len(l.buckets) < maxNetworks {
		return
	}
	for n, b := range l.buckets {
		if b.left+now.Sub(b.at).Seconds()*perSecond >= budget {
			delete(l.buckets, n)
		}
	}
	if len(l.buckets) >= maxNetworks {
		clear(l.buckets)
	}
}
