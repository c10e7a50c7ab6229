package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
)

// rootOf makes a root certificate of an organisation.
func rootOf(t *testing.T, organization string) *x509.Certificate {
	t.Helper()
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now, Organization: organization})
	if err != nil {
		t.Fatal(err)
	}
	return p.Root.Certificate
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func TestLoadAnchors(t *testing.T) {
	real, other, show := rootOf(t, "Gốc thử nghiệm"), rootOf(t, "Gốc khác"), rootOf(t, "SAOY TRÌNH DIỄN")
	dir := t.TempDir()
	for name, b := range map[string][]byte{"real.pem": pemOf(real), "show.pem": pemOf(show), "two.pem": append(pemOf(real), pemOf(other)...)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inline := strconv.Quote(string(pemOf(other)))
	entry := func(rest string) string {
		return `{"anchors":[{"name":{"vi":"Gốc","en":"Root"},"purposes":["signature"],` + rest + `}]}`
	}
	for name, tt := range map[string]struct{ file, wrong string }{
		"file":             {entry(`"file":"real.pem"`), ""},
		"inline":           {entry(`"certificate":` + inline), ""},
		"fingerprint":      {entry(`"file":"real.pem","sha256":"` + certcopy.DigestOf(real.Raw).String() + `"`), ""},
		"another print":    {entry(`"file":"real.pem","sha256":"` + certcopy.DigestOf(other.Raw).String() + `"`), "SHA-256"},
		"dated":            {entry(`"file":"real.pem","from":"2020-01-01","until":"2031-01-01T00:00:00Z"`), ""},
		"never":            {entry(`"file":"real.pem","from":"2031-01-01","until":"2020-01-01"`), "never"},
		"ended before":     {entry(`"file":"real.pem","until":"1999-01-01"`), "never"},
		"no date":          {entry(`"file":"real.pem","from":"tomorrow"`), "tomorrow"},
		"unknown key":      {entry(`"file":"real.pem","untill":"2031-01-01"`), "untill"},
		"unknown purpose":  {entry(`"file":"real.pem","purposes":["tls"]`), "tls"},
		"no purpose":       {entry(`"file":"real.pem","purposes":[]`), "purposes"},
		"no name":          {`{"anchors":[{"name":{"vi":"Gốc"},"purposes":["signature"],"file":"real.pem"}]}`, "name"},
		"no certificate":   {entry(`"from":"2020-01-01"`), "certificate"},
		"both":             {entry(`"file":"real.pem","certificate":` + inline), "certificate"},
		"two in one":       {entry(`"file":"two.pem"`), "2 certificates"},
		"missing file":     {entry(`"file":"none.pem"`), "none.pem"},
		"twice":            {`{"anchors":[` + strings.TrimSuffix(strings.Repeat(`{"name":{"vi":"a","en":"a"},"purposes":["signature"],"file":"real.pem"},`, 2), ",") + `]}`, "again"},
		"nothing":          {`{"anchors":[]}`, "empty"},
		"two values":       {entry(`"file":"real.pem"`) + `{}`, "more than one"},
		"PEM":              {string(pemOf(real)), ""},
		"PEM of a key":     {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PRIVATE KEY"},
		"text":             {"certificates, please", "no PEM"},
		"demonstration":    {entry(`"file":"show.pem","demonstration":true`), "demonstration"},
		"not called so":    {entry(`"file":"show.pem"`), "demonstration"},
		"called so":        {entry(`"file":"real.pem","demonstration":true`), "demonstration"},
		"demonstration in": {string(append(pemOf(real), pemOf(show)...)), "demonstration"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "list.json")
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			store, err := loadAnchors(path)
			if tt.wrong == "" {
				if err != nil || len(store.Anchors()) != 1 {
					t.Fatalf("%v", err)
				}
				return
			}
			if err == nil || !strings.Contains(fmt.Sprint(err), tt.wrong) || certcopy.CodeOf(err) != certcopy.Invalid || certcopy.MessageOf(err).VI == "" {
				t.Errorf("got %v, want an error about %q", err, tt.wrong)
			}
		})
	}
	if _, err := loadAnchors(filepath.Join(dir, "absent.json")); certcopy.CodeOf(err) != certcopy.NotFound {
		t.Errorf("absent file: %v", err)
	}
}

// TestAnchorsAreForTheirTimeAndPurpose: what a list says of a root decides, not the root.
func TestAnchorsAreForTheirTimeAndPurpose(t *testing.T) {
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now, Organization: "Gốc thử nghiệm"})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := p.Issue(signertest.Official("Nguyễn Văn An", "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	day := func(n int) string { return now.AddDate(0, 0, n).In(vietnam).Format(time.DateOnly) }
	for name, tt := range map[string]struct {
		entry   string
		trusted bool
	}{
		"now":             {`"purposes":["signature","time-stamp"]`, true},
		"until tomorrow":  {`"purposes":["signature"],"until":"` + day(1) + `"`, true},
		"until today":     {`"purposes":["signature"],"until":"` + day(0) + `","from":"` + day(-9) + `"`, false},
		"from tomorrow":   {`"purposes":["signature"],"from":"` + day(1) + `"`, false},
		"only time-stamp": {`"purposes":["time-stamp"]`, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "list.json")
			list := `{"anchors":[{"name":{"vi":"Gốc","en":"Root"},"certificate":` + strconv.Quote(string(pemOf(p.Root.Certificate))) + `,` + tt.entry + `}]}`
			if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
				t.Fatal(err)
			}
			store, err := loadAnchors(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = trust.BuildPath(leaf.Certificate, leaf.Chain, store, now, trust.Signing)
			if (err == nil) != tt.trusted {
				t.Errorf("path: %v", err)
			}
		})
	}
}

// TestDocumentedAnchors loads the example of docs/verification.md.
func TestDocumentedAnchors(t *testing.T) {
	b, err := os.ReadFile("../../docs/verification.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```json\n(\\{\n  \"anchors\".*?)```").FindSubmatch(b)
	if example == nil {
		t.Fatal("docs/verification.md has no example of an anchors file")
	}
	dir := t.TempDir()
	files := regexp.MustCompile(`"file": "([^"]+)"`).FindAllSubmatch(example[1], -1)
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, string(f[1])), pemOf(rootOf(t, string(f[1]))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "anchors.json"), bytes.TrimSpace(example[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := loadAnchors(filepath.Join(dir, "anchors.json"))
	if err != nil || len(store.Anchors()) != len(files) {
		t.Fatalf("%v", err)
	}
}
