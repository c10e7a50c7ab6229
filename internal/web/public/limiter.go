package public

import (
	"errors"
	"net/http"

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
)

// limiter is the budget of each network that visitors come from.
type limiter struct{ *web.Limiter }

// errTooMany: the visitor's network has spent its budget.
var errTooMany = errors.New("too many look-ups")

// handle leaves errors to the site, but for the one it has no code for.
func (s *Site) handle(h web.HandlerFunc) http.HandlerFunc {
	return s.site.Handle(func(w http.ResponseWriter, r *http.Request) error {
		err := h(w, r)
		if !errors.Is(err, errTooMany) {
			return err
		}
		s.site.TooMany(w, r)
		return nil
	})
}

// enter refuses a visitor whose network has nothing left.
func (l limiter) enter(r *http.Request) error {
	if !l.Enter(web.TruncatedIP(r.RemoteAddr)) {
		return errTooMany
	}
	return nil
}

// spend takes cost from the visitor's network.
func (l limiter) spend(r *http.Request, cost float64) { l.Spend(web.TruncatedIP(r.RemoteAddr), cost) }
