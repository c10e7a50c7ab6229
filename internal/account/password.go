package account

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/saoy/saoy/internal/certcopy"
)

// Cost of argon2id (RFC 9106): 19 MiB and two passes, the first choice of the OWASP password
// storage guide. A sign-in takes some 30 ms on one core.
const (
	costMemoryKiB = 19 * 1024
	costTime      = 2
	costThreads   = 1
	saltBytes     = 16
	keyBytes      = 32
)

// Bounds on what a stored hash may ask for, so that a changed row cannot exhaust the machine.
const (
	maxMemoryKiB = 256 * 1024
	maxTime      = 16
	maxThreads   = 16
)

// Limits of a password.
const (
	MinPasswordRunes = 10
	MaxPasswordBytes = 256
)

// ErrHash is wrapped by every error about a stored password hash.
var ErrHash = errors.New("not an argon2id PHC string")

// Hash returns the PHC string of a password: $argon2id$v=19$m=…,t=…,p=…$salt$key. The password
// is composed (NFC) first, so that Vietnamese letters match whichever keyboard typed them.
func Hash(rand io.Reader, password certcopy.Secret) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("password salt: %w", err)
	}
	p := phc{memory: costMemoryKiB, time: costTime, threads: costThreads, salt: salt}
	p.key = p.derive(password, keyBytes)
	return p.String(), nil
}

// Verify reports whether password belongs to the stored hash, in time that does not depend on
// where they differ; stale asks the caller to store a new Hash, because the cost has changed.
// The error wraps ErrHash and means a damaged row, never a wrong password.
func Verify(stored string, password certcopy.Secret) (ok, stale bool, err error) {
	p, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	if len(password.Reveal()) > MaxPasswordBytes {
		return false, false, nil
	}
	ok = subtle.ConstantTimeCompare(p.key, p.derive(password, len(p.key))) == 1
	return ok, p.memory != costMemoryKiB || p.time != costTime || p.threads != costThreads, nil
}

// Spend costs what Verify costs and tells nothing: for login names that do not exist.
func Spend(password certcopy.Secret) {
	if len(password.Reveal()) > MaxPasswordBytes {
		return
	}
	p := phc{memory: costMemoryKiB, time: costTime, threads: costThreads, salt: make([]byte, saltBytes)}
	p.derive(password, keyBytes)
}

// phc is a parsed PHC string.
type phc struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func (p phc) derive(password certcopy.Secret, n int) []byte {
	return argon2.IDKey(norm.NFC.Bytes(password.Reveal()), p.salt, p.time, p.memory, p.threads, uint32(n))
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, b64(p.salt), b64(p.key))
}

func parsePHC(s string) (phc, error) {
	var p phc
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return p, ErrHash
	}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, fmt.Errorf("%w: version %q", ErrHash, parts[2])
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, fmt.Errorf("%w: cost: %v", ErrHash, err)
	}
	if p.memory < 8 || p.memory > maxMemoryKiB || p.time < 1 || p.time > maxTime || p.threads < 1 || p.threads > maxThreads {
		return p, fmt.Errorf("%w: cost out of bounds", ErrHash)
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(p.salt) < 8 || len(p.salt) > 64 {
		return p, fmt.Errorf("%w: salt", ErrHash)
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(p.key) < 16 || len(p.key) > 64 {
		return p, fmt.Errorf("%w: key", ErrHash)
	}
	return p, nil
}

// CheckPassword applies the rules for a new password: length, not the login name, not one
// that every list of guesses begins with (NIST SP 800-63B §5.1.1.2: no rules of composition).
func CheckPassword(login string, password certcopy.Secret) error {
	text := norm.NFC.String(string(password.Reveal()))
	lower := strings.ToLower(text)
	switch {
	case !utf8.ValidString(text) || len(text) > MaxPasswordBytes:
		return badPassword(certcopy.Msg("Mật khẩu quá dài hoặc có ký tự không hợp lệ. Hãy chọn mật khẩu khác.",
			"The password is too long or holds invalid characters. Choose another."))
	case utf8.RuneCountInString(text) < MinPasswordRunes:
		return badPassword(certcopy.Msg(
			fmt.Sprintf("Mật khẩu phải có ít nhất %d ký tự. Một câu ngắn dễ nhớ là tốt nhất.", MinPasswordRunes),
			fmt.Sprintf("A password needs at least %d characters. A short sentence is best.", MinPasswordRunes)))
	case login != "" && strings.Contains(lower, strings.ToLower(login)), guessable(lower):
		return badPassword(certcopy.Msg("Mật khẩu này dễ đoán. Hãy chọn một câu mà chỉ ông/bà biết.",
			"This password is easy to guess. Choose a sentence only you know."))
	}
	return nil
}

func badPassword(m certcopy.Message) error {
	return certcopy.Errorf(certcopy.Invalid, "password", nil, m)
}

// commonStems are what passwords of guessing lists are built from, here and abroad.
var commonStems = []string{"password", "matkhau", "mậtkhẩu", "qwerty", "asdfgh", "anhyeuem", "emyeuanh", "iloveyou", "vietnam",
	"admin", "saoy", "chungthuc", "ubnd", "letmein", "welcome", "abc123"}

// guessable reports whether nothing much is left after stems, runs and repeats are taken away.
func guessable(lower string) bool {
	s := strings.ReplaceAll(lower, " ", "")
	for _, stem := range commonStems {
		s = strings.ReplaceAll(s, stem, "")
	}
	var surprises int
	var last rune
	for _, r := range s {
		if step := r - last; step < -1 || step > 1 {
			surprises++
		}
		last = r
	}
	return surprises < 5
}
