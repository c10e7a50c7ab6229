package account

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/saoy/saoy/internal/certcopy"
)

func secret(s string) certcopy.Secret { return certcopy.NewSecret([]byte(s)) }

func TestPassword(t *testing.T) {
	h, err := Hash(rand.Reader, secret("bờ tre xanh rì rào"))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Hash(rand.Reader, secret("bờ tre xanh rì rào"))
	if h == again {
		t.Error("two hashes of one password are equal: the salt is not random")
	}
	for typed, want := range map[string]bool{
		"bờ tre xanh rì rào":                  true,
		norm.NFD.String("bờ tre xanh rì rào"): true, // from another keyboard
		"bờ tre xanh ri rào":                  false,
		"":                                    false,
		strings.Repeat("x", 1<<20):            false,
	} {
		if ok, _, err := Verify(h, secret(typed)); ok != want || err != nil {
			t.Errorf("%.40q: %v %v, want %v", typed, ok, err, want)
		}
	}
}

func TestVerifyKnownVector(t *testing.T) {
	// Of the reference implementation: argon2 somesalt -id -t 1 -k 64 -p 1 -l 24, password "password".
	key, err := hex.DecodeString("655ad15eac652dc59f7170a7332bf49b8469be1fdb9c28bb")
	if err != nil {
		t.Fatal(err)
	}
	stored := "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + base64.RawStdEncoding.EncodeToString(key)
	if ok, stale, err := Verify(stored, secret("password")); !ok || !stale || err != nil {
		t.Errorf("the right password: ok %v, stale %v, %v", ok, stale, err)
	}
	if ok, _, err := Verify(stored, secret("Password")); ok || err != nil {
		t.Errorf("a wrong password: ok %v, %v", ok, err)
	}
}

func TestDamagedHashes(t *testing.T) {
	good, _ := Hash(rand.Reader, secret("bờ tre xanh rì rào"))
	for _, bad := range []string{"", "$", "x" + good, strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=19456", "m=4294967295", 1), strings.Replace(good, "t=2", "t=0", 1), strings.Replace(good, "p=1", "p=255", 1),
		good[:len(good)-40], good + "$"} {
		if ok, _, err := Verify(bad, secret("bờ tre xanh rì rào")); ok || !errors.Is(err, ErrHash) {
			t.Errorf("%q: %v %v", bad, ok, err)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	h, _ := Hash(rand.Reader, secret("bờ tre xanh rì rào"))
	f.Add(h)
	f.Add("$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePHC(s)
		if err != nil {
			return
		}
		if p.memory > maxMemoryKiB || p.time > maxTime || p.threads > maxThreads || p.threads == 0 || p.time == 0 {
			t.Errorf("%q asks for too much", s)
		}
		if q, err := parsePHC(p.String()); err != nil || q.String() != p.String() {
			t.Errorf("%q does not read back: %v", s, err)
		}
	})
}

func TestPasswordRules(t *testing.T) {
	for password, ok := range map[string]bool{
		"bờ tre xanh rì rào": true, "tôi ăn bún lúc 7 giờ": true, "k8#mQz2!vLp": true,
		"ngắn": false, "1234567890": false, "0987654321": false, "aaaaaaaaaaaa": false, "MatKhau123456": false, "password1234": false,
		"nguyenvanan2026": false, "qwerty123456": false, "ubnd12345678": false, "\xff\xfe567890123": false, strings.Repeat("dài quá ", 60): false,
	} {
		err := CheckPassword("nguyenvanan", secret(password))
		if (err == nil) != ok {
			t.Errorf("%q: %v", password, err)
		}
		if err != nil && (certcopy.CodeOf(err) != certcopy.Invalid || strings.Contains(err.Error(), password)) {
			t.Errorf("%q: error %v", password, err)
		}
	}
}

func TestLogins(t *testing.T) {
	for typed, want := range map[string]bool{"canbo": true, "nguyen.van-an@xa": true, "": false, "có dấu": false, "đức": true, "a b": false, "<b>": false, strings.Repeat("a", 65): false} {
		if err := CheckLogin(typed); (err == nil) != want {
			t.Errorf("%q: %v", typed, err)
		}
	}
	if FoldLogin("  CánBộ ") != FoldLogin("cánbộ") {
		t.Error("one login name in two spellings")
	}
}

func TestWaits(t *testing.T) {
	now := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		f    Failures
		want time.Duration
	}{
		{Failures{}, 0},
		{Failures{ByLogin: 4, LastByLogin: now}, 0},
		{Failures{ByLogin: 5, LastByLogin: now}, 30 * time.Second},
		{Failures{ByLogin: 5, LastByLogin: now.Add(-30 * time.Second)}, 0},
		{Failures{ByLogin: 7, LastByLogin: now}, 2 * time.Minute},
		{Failures{ByLogin: 10, LastByLogin: now}, 15 * time.Minute},
		{Failures{ByLogin: 1_000_000, LastByLogin: now}, 15 * time.Minute},
		{Failures{ByNetwork: 59, LastByNetwork: now}, 0},
		{Failures{ByNetwork: 60, LastByNetwork: now}, 30 * time.Second},
		{Failures{ByLogin: 6, LastByLogin: now.Add(-time.Minute), ByNetwork: 61, LastByNetwork: now}, time.Minute},
	} {
		if got := c.f.Wait(now); got != c.want {
			t.Errorf("%+v: %v, want %v", c.f, got, c.want)
		}
	}
}

func TestProofIsForOneAct(t *testing.T) {
	now := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	shown := map[certcopy.CopyID]certcopy.Digest{"a": certcopy.DigestOf([]byte("1")), "b": certcopy.DigestOf([]byte("2"))}
	act := ActDigest(MayCertify, shown)
	p := Proof{By: "me", Act: act, At: now}
	if !p.Covers("me", ActDigest(MayCertify, map[certcopy.CopyID]certcopy.Digest{"b": shown["b"], "a": shown["a"]}), now.Add(4*time.Minute)) {
		t.Error("a fresh proof does not count")
	}
	changed := map[certcopy.CopyID]certcopy.Digest{"a": shown["b"], "b": shown["a"]}
	for name, ok := range map[string]bool{
		"five minutes later": p.Covers("me", act, now.Add(ProofValidity)),
		"before it was made": p.Covers("me", act, now.Add(-time.Second)),
		"another person":     p.Covers("you", act, now),
		"other pages":        p.Covers("me", ActDigest(MayCertify, changed), now),
		"sealing":            p.Covers("me", ActDigest(MaySeal, shown), now),
		"no proof":           Proof{}.Covers("", certcopy.Digest{}, now),
	} {
		if ok {
			t.Errorf("%s: the proof counts", name)
		}
	}
}

func TestSessionToken(t *testing.T) {
	tok, err := NewSessionToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseSessionToken(tok.Reveal())
	if err != nil || back.Hash() != tok.Hash() {
		t.Errorf("does not read back: %v", err)
	}
	for _, bad := range []string{"", "x", tok.Reveal() + "A", tok.Reveal()[1:], tok.Reveal()[:42] + "\n"} {
		if _, err := ParseSessionToken(bad); !errors.Is(err, ErrToken) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, s := range []string{fmt.Sprint(tok), fmt.Sprintf("%#v %+v %s", tok, tok, tok), tok.LogValue().String(), slog.AnyValue(tok).Resolve().String()} {
		if strings.Contains(s, tok.Reveal()) {
			t.Errorf("the token shows: %s", s)
		}
	}
}

func TestRoles(t *testing.T) {
	a := Account{ID: "1", Roles: []certcopy.Role{certcopy.Clerk}}
	if !a.Has(certcopy.Certifier, certcopy.Clerk) || a.Has(certcopy.Admin) || a.Has() || (Account{Roles: a.Roles}).Has(certcopy.Clerk) {
		t.Error("roles are wrong")
	}
	a.Disabled = time.Unix(1, 0)
	if a.Has(certcopy.Clerk) {
		t.Error("a disabled account has a role")
	}
}
