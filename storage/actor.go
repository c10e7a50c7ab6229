package storage

import (
	"context"

	"github.com/saoy/saoy/internal/certcopy"
)

// Actor is for whom a call is made: the agency whose rows it may touch, and who is named in
// the audit. The zero Actor is the service itself.
type Actor struct {
	Agency  certcopy.AgencyID
	Account certcopy.AccountID
	Client  string // of the API; empty for a person
}

type actorKey struct{}

// WithActor returns a context whose calls to a ledger are made for a. The ledger then finds and
// changes only what belongs to a's agency: what belongs to another is not there. Whoever learns
// who asks says so once, before anything else is asked.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf returns for whom calls with ctx are made.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
