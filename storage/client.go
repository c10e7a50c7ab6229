package storage

import (
	"context"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Client is a system that uses the API, as one of its tokens shows it.
type Client struct {
	ID     string // also the channel of its requests
	Agency certcopy.AgencyID
	Name   string
	// Account is in whose name it makes and submits requests.
	Account certcopy.AccountID
	Scopes  []string // of the token
}

// Reply is what a client was answered.
type Reply struct {
	Status      int
	ContentType string
	Body        []byte
}

// Clients keeps client systems, the hashes of their tokens, and their replies.
type Clients interface {
	// ClientByToken returns the client of a token, by its hash; ErrNotFound if the token is
	// unknown, expired or revoked, or the client disabled.
	ClientByToken(ctx context.Context, token certcopy.Digest, now time.Time) (Client, error)
	// ActsFor returns the one official for whom the client may certify or seal today;
	// certcopy.Forbidden if there is none or more than one.
	ActsFor(ctx context.Context, client, scope string) (certcopy.AccountID, error)
	// Claim takes a client's idempotency key for a request of that digest. Its holder is alone
	// with the key until Release, or until its process dies. If the request was answered, the
	// claim holds the reply. ErrExists if the key belongs to another request, ErrConflict if
	// another holder works on it now.
	Claim(ctx context.Context, client, key string, request certcopy.Digest) (Claim, error)
}

// Claim is a held idempotency key.
type Claim interface {
	// Reply returns what was answered; ok is false if the request is still to be done.
	Reply() (r Reply, ok bool)
	// Keep stores the reply, create-once.
	Keep(ctx context.Context, r Reply) error
	// Release gives the key up. It may be called more than once.
	Release()
}
