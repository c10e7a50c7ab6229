package link

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

// fixed is a code whose bits are known: it pins alphabet, bit order and check for ever,
// because codes are printed on paper.
const fixed = "04HMASW9NF6YY0937"

func fixedCode(t testing.TB) Code {
	t.Helper()
	c, err := NewCode(bytes.NewReader([]byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodeIsPinned(t *testing.T) {
	c := fixedCode(t)
	if c.String() != fixed {
		t.Errorf("String() = %q, want %q", c.String(), fixed)
	}
	if want := "04HM-ASW9-NF6Y-Y093-7"; c.Grouped() != want {
		t.Errorf("Grouped() = %q, want %q", c.Grouped(), want)
	}
	if c.Hash() != certcopy.DigestOf([]byte(fixed)) {
		t.Error("Hash() is not the SHA-256 of the canonical form")
	}
}

func TestParseCodeForgives(t *testing.T) {
	for _, typed := range []string{
		fixed, strings.ToLower(fixed), "04HM-ASW9-NF6Y-Y093-7", " 04hm asw9 nf6y y093 7\n", "04HM–ASW9—NF6Y‑Y093−7",
		"O4HM ASW9 NF6Y YO93 7", "o4hm.asw9.nf6y.yo93.7", "04HM\u00a0ASW9_NF6Y\u200bY0937",
	} {
		c, err := ParseCode(typed)
		if err != nil || c.String() != fixed {
			t.Errorf("ParseCode(%q) = %v, %v", typed, c, err)
		}
	}
	one, err := NewCode(bytes.NewReader([]byte{0x08, 0x42, 0x10, 0x84, 0x21, 0x08, 0x42, 0x10, 0x84, 0x21}))
	if err != nil {
		t.Fatal(err)
	}
	typed := strings.NewReplacer("1", "l").Replace(one.String())
	if c, err := ParseCode(typed); err != nil || c != one {
		t.Errorf("ParseCode(%q) = %v, %v; want %v", typed, c, err, one)
	}
}

func TestParseCodeRefuses(t *testing.T) {
	for _, typed := range []string{
		"", "-", fixed[:16], fixed + "0", "U4HMASW9NF6YY0937", "04HMASW9NF6YY09ă7", "04HMASW9NF6YY093\x00", "04HM/ASW9/NF6Y/Y093/7",
		strings.Repeat(" ", 300) + fixed, "٠4HMASW9NF6YY0937", "04HMASW9NF6YY093\xff",
	} {
		c, err := ParseCode(typed)
		if !errors.Is(err, ErrCode) || certcopy.CodeOf(err) != certcopy.Invalid || !c.IsZero() {
			t.Errorf("ParseCode(%q) = %v, %v; want ErrCode", typed, c, err)
		}
		if m := certcopy.MessageOf(err); m.VI == "" || m.EN == "" || m.VI == m.EN {
			t.Errorf("ParseCode(%q): message %+v", typed, m)
		}
	}
}

// TestEverySlipIsDetected tries all single substitutions and all exchanges of two characters
// of many codes.
func TestEverySlipIsDetected(t *testing.T) {
	for range 200 {
		c, err := NewCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		good := c.String()
		if again, err := ParseCode(good); err != nil || again != c {
			t.Fatalf("ParseCode(%q) = %v, %v", good, again, err)
		}
		for i := range good {
			for j := range alphabet {
				mustRefuse(t, good, good[:i]+alphabet[j:j+1]+good[i+1:])
			}
			for j := i + 1; j < len(good); j++ {
				b := []byte(good)
				b[i], b[j] = b[j], b[i]
				mustRefuse(t, good, string(b))
			}
		}
	}
}

func mustRefuse(t *testing.T, good, bad string) {
	t.Helper()
	if bad == good {
		return
	}
	if _, err := ParseCode(bad); err == nil {
		t.Fatalf("ParseCode(%q) passed; the code was %q", bad, good)
	}
}

func TestRandomFailure(t *testing.T) {
	short := bytes.NewReader(make([]byte, 9))
	if _, err := NewCode(short); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("NewCode: %v", err)
	}
	if tok, err := NewToken(bytes.NewReader(make([]byte, 23))); err == nil || !tok.IsZero() {
		t.Errorf("NewToken: %v", err)
	}
}

func TestCodesUseAllBits(t *testing.T) {
	seen := map[string]bool{}
	for bit := range CodeBits {
		b := make([]byte, CodeBits/8)
		b[bit/8] = 1 << (bit % 8)
		c, err := NewCode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		seen[c.String()] = true
	}
	if len(seen) != CodeBits {
		t.Errorf("%d distinct codes from %d distinct inputs", len(seen), CodeBits)
	}
}

func TestTokenIsHidden(t *testing.T) {
	tok, err := NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	js, err := json.Marshal(map[string]any{"t": tok})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(tok), fmt.Sprintf("%v %+v %#v %s %q %x %d", tok, tok, tok, tok, tok, tok, tok), string(js), tok.LogValue().String()} {
		if strings.Contains(shown, tok.Reveal()) {
			t.Errorf("token shown in %q", shown)
		}
	}
	again, err := ParseToken(tok.Reveal())
	if err != nil || again.Hash() != tok.Hash() {
		t.Errorf("ParseToken: %v", err)
	}
}

func TestParseTokenRefuses(t *testing.T) {
	tok, _ := NewToken(rand.Reader)
	s := tok.Reveal()
	for _, bad := range []string{"", s[1:], s + "A", s[:31] + "=", s[:31] + "+", s[:31] + "\n", strings.Repeat("é", 16)} {
		if _, err := ParseToken(bad); !errors.Is(err, ErrToken) {
			t.Errorf("ParseToken(%q): %v", bad, err)
		}
	}
}

func TestParseBase(t *testing.T) {
	for in, want := range map[string]string{
		"https://saoy.example.vn": "https://saoy.example.vn", "https://Saoy.Example.VN/": "https://saoy.example.vn", "https://example.vn:8443/": "https://example.vn:8443",
		"http://127.0.0.1:8080": "http://127.0.0.1:8080", "http://localhost:8080/": "http://localhost:8080", "http://[::1]:80": "http://[::1]:80", "HTTPS://a.vn": "https://a.vn", "https://a.vn/saoy": "", "https://a.vn/..": "",
		"http://example.vn": "", "http://10.0.0.1": "", "http://127.0.0.1.evil.vn": "", "http://localhost.evil.vn": "", "ftp://a.vn": "", "https://": "", "https://:80": "", "": "", "saoy.vn": "",
		"https://u:p@a.vn": "", "https://a.vn?x": "", "https://a.vn?": "", "https://a.vn#": "", "https://a.vn/%zz": "", "javascript:alert(1)": "",
	} {
		b, err := ParseBase(in)
		if b.String() != want || (want == "") != errors.Is(err, ErrBase) {
			t.Errorf("ParseBase(%q) = %q, %v; want %q", in, b, err, want)
		}
	}
}

func TestURLs(t *testing.T) {
	b, err := ParseBase("https://saoy.example.vn/")
	if err != nil {
		t.Fatal(err)
	}
	c := fixedCode(t)
	u := VerifyURL(b, c)
	if want := "https://saoy.example.vn/v/" + fixed; u != want {
		t.Errorf("VerifyURL = %q, want %q", u, want)
	}
	for _, pasted := range []string{u, u + "?lang=en", u + "/proof#x", " " + u + "\n", "Mã: " + u, c.Grouped()} {
		if got, err := FindCode(pasted); err != nil || got != c {
			t.Errorf("FindCode(%q) = %v, %v", pasted, got, err)
		}
	}
	tok, _ := NewToken(rand.Reader)
	if got := ShareURL(b, tok); got != "https://saoy.example.vn/s/"+tok.Reveal() {
		t.Error("ShareURL is not base, /s/ and the token")
	}
}

func FuzzParseCode(f *testing.F) {
	for _, s := range []string{fixed, "04HM-ASW9-NF6Y-Y093-7", "o4hm asw9 nf6y yo93 7", "", "\xff", "https://a.vn/v/" + fixed} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err != nil {
			if !c.IsZero() || !errors.Is(err, ErrCode) {
				t.Fatalf("ParseCode(%q) = %v, %v", s, c, err)
			}
			return
		}
		for _, form := range []string{c.String(), c.Grouped(), strings.ToLower(c.Grouped())} {
			if again, err := ParseCode(form); err != nil || again != c {
				t.Fatalf("ParseCode(%q) = %v, %v; want %v", form, again, err, c)
			}
		}
		if len(c.String()) != codeLen {
			t.Fatalf("ParseCode(%q) = %q", s, c)
		}
	})
}
