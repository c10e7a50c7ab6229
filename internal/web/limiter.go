package web

import (
	"net/http"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// maxSpenders bounds the memory of a Limiter; those whose budget is whole are forgotten first.
const maxSpenders = 50_000

// Limiter is a token bucket for each who asks: a network, or a client system. It is of one
// process: several share the load and each keeps its own. It is safe for concurrent use.
type Limiter struct {
	now               func() time.Time
	budget, perSecond float64

	mu      sync.Mutex
	buckets map[string]bucket // guarded by mu
}

type bucket struct {
	left float64
	at   time.Time
}

// NewLimiter gives each who asks a budget that fills up again by so much a second.
func NewLimiter(now func() time.Time, budget, perSecond float64) *Limiter {
	return &Limiter{now: now, budget: budget, perSecond: perSecond, buckets: make(map[string]bucket)}
}

// Spend takes cost and returns what is left. It may be negative: what has begun is finished,
// and who is in debt is to be refused before the next.
func (l *Limiter) Spend(who string, cost float64) float64 {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[who]
	if !ok {
		l.forget(now)
		b = bucket{left: l.budget, at: now}
	}
	// A clock that is put back gives nothing and takes nothing.
	b.left = min(l.budget, b.left+max(0, now.Sub(b.at).Seconds())*l.perSecond) - cost
	b.at = now
	l.buckets[who] = b
	return b.left
}

// Enter reports whether who has anything left.
func (l *Limiter) Enter(who string) bool { return l.Spend(who, 0) >= 0 }

// forget drops those whose budget is whole again, and all if that is not enough: a flood from
// everywhere must not fill the memory.
func (l *Limiter) forget(now time.Time) {
	if len(l.buckets) < maxSpenders {
		return
	}
	for who, b := range l.buckets {
		if b.left+now.Sub(b.at).Seconds()*l.perSecond >= l.budget {
			delete(l.buckets, who)
		}
	}
	if len(l.buckets) >= maxSpenders {
		clear(l.buckets)
	}
}

// TooMany answers who has spent the budget.
func (s *Site) TooMany(w http.ResponseWriter, r *http.Request) {
	s.WriteProblem(w, r, Problem{Type: "about:blank", Title: http.StatusText(http.StatusTooManyRequests),
		Status: http.StatusTooManyRequests, Code: certcopy.Unavailable, Reference: Reference(r.Context()),
		VI: "Có quá nhiều lượt tra cứu từ mạng của bạn. Hãy chờ một phút rồi thử lại.",
		EN: "There were too many look-ups from your network. Wait a minute and try again."})
}
