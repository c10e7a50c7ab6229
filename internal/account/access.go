package account

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sort"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// How long a session lasts.
const (
	SessionIdle     = 30 * time.Minute // without a request
	SessionLifetime = 10 * time.Hour   // in all: one working day
)

// ErrToken is returned by ParseSessionToken; it never contains what was parsed.
var ErrToken = errors.New("not a session token")

const sessionTokenBytes = 32

// SessionToken is what a signed-in browser holds in its cookie. It cannot be printed or
// logged by accident; only its hash is stored.
type SessionToken struct{ text string }

// NewSessionToken makes a token of 32 bytes of rand.
func NewSessionToken(rand io.Reader) (SessionToken, error) {
	var b [sessionTokenBytes]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return SessionToken{}, fmt.Errorf("session token: %w", err)
	}
	return SessionToken{text: base64.RawURLEncoding.EncodeToString(b[:])}, nil
}

// ParseSessionToken reads the value of the cookie.
func ParseSessionToken(s string) (SessionToken, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != sessionTokenBytes || len(s) != base64.RawURLEncoding.EncodedLen(sessionTokenBytes) {
		return SessionToken{}, ErrToken
	}
	return SessionToken{text: s}, nil
}

// Hash returns what is stored of the token.
func (t SessionToken) Hash() certcopy.Digest { return certcopy.DigestOf([]byte(t.text)) }

// Reveal returns the value for the cookie.
func (t SessionToken) Reveal() string { return t.text }

// Format hides the token under every verb.
func (SessionToken) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "(session token)") }

// LogValue hides the token.
func (SessionToken) LogValue() slog.Value { return slog.StringValue("(session token)") }

// Rules against guessing. Failures are counted over FailureWindow, by login name and by
// network; an office's people share one network, so its limit is far higher.
const (
	FailureWindow      = 15 * time.Minute
	freeLoginFailures  = 5
	freeNetworkFailure = 60
	firstWait          = 30 * time.Second
	longestWait        = 15 * time.Minute
)

// Failures are the wrong sign-ins of the last FailureWindow.
type Failures struct {
	ByLogin, ByNetwork         int
	LastByLogin, LastByNetwork time.Time
}

// Wait returns how long to wait before the next attempt is looked at; 0 if it may be now.
// Beyond the free failures the wait doubles from 30 seconds up to 15 minutes: an account is
// slowed, never locked, so that nobody can shut an official out for good.
func (f Failures) Wait(now time.Time) time.Duration {
	return max(wait(f.ByLogin-freeLoginFailures, f.LastByLogin, now), wait(f.ByNetwork-freeNetworkFailure, f.LastByNetwork, now))
}

func wait(excess int, last, now time.Time) time.Duration {
	if excess < 0 {
		return 0
	}
	pause := longestWait
	if excess < 6 {
		pause = min(firstWait<<excess, longestWait)
	}
	return max(0, last.Add(pause).Sub(now))
}

// ProofValidity is how long a second factor counts as fresh.
const ProofValidity = 5 * time.Minute

// Proof says that an account has just shown who it is, for one act. In a demonstration that is
// the password again.
type Proof struct {
	By  certcopy.AccountID
	Act certcopy.Digest // what it was shown for, see ActDigest
	At  time.Time
}

// Covers reports whether the proof counts for the act of the account at the time. A proof is
// for one act: not for more copies, other pages, or another person.
func (p Proof) Covers(by certcopy.AccountID, act certcopy.Digest, now time.Time) bool {
	return p.By != "" && p.By == by && p.Act == act && !p.At.IsZero() && !now.Before(p.At) && now.Sub(p.At) < ProofValidity
}

// ActDigest identifies a confirmation: what kind of act, over which copies as they were shown.
// The order of the copies does not matter.
func ActDigest(scope Scope, shown map[certcopy.CopyID]certcopy.Digest) certcopy.Digest {
	lines := make([]string, 0, len(shown))
	for id, d := range shown {
		lines = append(lines, string(id)+" "+d.String()+"\n")
	}
	sort.Strings(lines)
	text := "saoy act v1 " + string(scope) + "\n"
	for _, l := range lines {
		text += l
	}
	return certcopy.DigestOf([]byte(text))
}
