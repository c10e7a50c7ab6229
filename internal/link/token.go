package link

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/saoy/saoy/internal/certcopy"
)

// TokenBits is the number of random bits in a sharing token.
const TokenBits = 192

// ErrToken is returned by ParseToken; it never contains what was parsed.
var ErrToken = errors.New("not a sharing token")

// tokenLen is the length of a token in base64url; 192 bits leave no padding.
const tokenLen = TokenBits / 6

// Token opens one file at /s/TOKEN. It cannot be printed, logged or marshalled by accident;
// Reveal is the one way to its text. Only its hash is stored.
type Token struct{ text string }

// NewToken makes a token of 24 bytes of rand, which must be a source fit for keys.
func NewToken(rand io.Reader) (Token, error) {
	var b [TokenBits / 8]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return Token{}, fmt.Errorf("sharing token: %w", err)
	}
	return Token{text: base64.RawURLEncoding.EncodeToString(b[:])}, nil
}

// ParseToken reads the last segment of a sharing link. A token is copied by machines, so it
// forgives nothing; the error is ErrToken.
func ParseToken(s string) (Token, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	// The decoder skips line ends, so the length of both forms is checked.
	if err != nil || len(s) != tokenLen || len(b) != TokenBits/8 {
		return Token{}, ErrToken
	}
	return Token{text: s}, nil
}

// Hash returns the SHA-256 of the token's text, under which a link is stored and looked up.
func (t Token) Hash() certcopy.Digest { return certcopy.DigestOf([]byte(t.text)) }

// Reveal returns the token's text, for the link that is shown once to the person who asked.
func (t Token) Reveal() string { return t.text }

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.text == "" }

const hidden = "(sharing token)"

// String hides the token.
func (Token) String() string { return hidden }

// Format hides the token under every verb, also those that would print its fields.
func (Token) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue hides the token.
func (Token) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the token.
func (Token) MarshalText() ([]byte, error) { return []byte(hidden), nil }
