package main

import (
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/softkey"
)

// keyFacts is what is told of a key.
type keyFacts struct {
	File        string    `json:"file,omitempty"`
	Type        string    `json:"type,omitempty"`
	PublicKey   string    `json:"public_key_sha256,omitempty"`
	Subject     string    `json:"subject,omitempty"`
	Issuer      string    `json:"issuer,omitempty"`
	Certificate string    `json:"certificate_sha256,omitempty"`
	NotBefore   time.Time `json:"not_before,omitzero"`
	NotAfter    time.Time `json:"not_after,omitzero"`
	Chain       []string  `json:"chain,omitempty"`
	MaySign     bool      `json:"may_sign"`
	Reason      string    `json:"reason,omitempty"` // why it may not; a word for programs
	Detail      string    `json:"detail,omitempty"`
}

// Reasons besides those of the signing library.
const (
	reasonNoCertificate = "no-certificate"
	reasonPassphrase    = "passphrase"
	reasonUnreadable    = "unreadable"
)

func factsOf(id signer.Identity, now time.Time) (keyFacts, error) {
	public, err := publicFingerprint(id.Key.Public())
	if err != nil {
		return keyFacts{}, err
	}
	f := keyFacts{Type: keyType(id.Key.Public()), PublicKey: public, Subject: id.Certificate.Subject.String()}
	if isPlaceholder(id.Certificate) {
		f.Reason, f.Detail = reasonNoCertificate, "no certificate was imported yet"
		return f, nil
	}
	f.Issuer, f.Certificate = id.Certificate.Issuer.String(), fingerprint(id.Certificate.Raw)
	f.NotBefore, f.NotAfter = id.Certificate.NotBefore, id.Certificate.NotAfter
	for _, c := range id.Chain {
		f.Chain = append(f.Chain, c.Subject.String())
	}
	err = signer.Check(id, now)
	var refused *signer.RefusedError
	if errors.As(err, &refused) {
		f.Reason, f.Detail = string(refused.Reason), refused.Detail
		return f, nil
	}
	f.MaySign = err == nil
	return f, err
}

// verdict is the answer to "may it sign" for people.
func (f keyFacts) verdict() string {
	if f.MaySign {
		return "ký được / may sign"
	}
	words := map[string]string{
		reasonNoCertificate: "chưa có chứng thư / no certificate yet",
		reasonPassphrase:    "cần đúng mật khẩu / needs its passphrase",
		reasonUnreadable:    "không đọc được / unreadable",
	}
	if text, ok := words[f.Reason]; ok {
		return text
	}
	return "không ký được / may not sign: " + f.Detail
}

func (f keyFacts) print() {
	fmt.Printf("%s  %s\n", f.Type, f.verdict())
	line := func(vi, en, text string) {
		if text != "" {
			fmt.Printf("  %s / %s: %s\n", vi, en, text)
		}
	}
	line("Chủ thể", "Subject", f.Subject)
	line("Cấp bởi", "Issuer", f.Issuer)
	if !f.NotAfter.IsZero() {
		line("Hiệu lực", "Valid", f.NotBefore.Format(time.RFC3339)+" – "+f.NotAfter.Format(time.RFC3339))
	}
	line("Chuỗi", "Chain", strings.Join(f.Chain, " ← "))
	line("SHA-256 của khóa công khai", "of the public key", f.PublicKey)
	line("SHA-256 của chứng thư", "of the certificate", f.Certificate)
}

func printKey(id signer.Identity, asJSON bool) error {
	f, err := factsOf(id, time.Now())
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	f.print()
	return nil
}

// keyShowCommand shows one key.
type keyShowCommand struct {
	keyFlags
	JSON    bool          `help:"Print exactly one JSON object on standard output."`
	Timeout time.Duration `help:"Longest wait for a remote service." default:"1m"`
}

// Run shows a key file as it is, and opens a key elsewhere as for signing.
func (c keyShowCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	id, done, err := c.identity(ctx)
	if err != nil {
		return explain("", err)
	}
	defer done()
	return printKey(id, c.JSON)
}

func (c keyShowCommand) identity(ctx context.Context) (signer.Identity, func(), error) {
	if c.P12 == "" {
		return c.keyFlags.open(ctx)
	}
	passphrase, err := joinedSecret("--pass-env", c.PassEnv)
	if err != nil {
		return signer.Identity{}, nil, err
	}
	id, err := softkey.Open(c.P12, passphrase)
	return id, func() {}, err
}

// keyListCommand lists keys.
type keyListCommand struct {
	CSC      string        `help:"Remote signing service whose credentials are listed." name:"csc" placeholder:"URL"`
	TokenEnv string        `help:"Environment variable with the access token for the service." placeholder:"VARIABLE"`
	PassEnv  []string      `help:"Environment variable with the passphrase of the files; repeated: its parts, in order." placeholder:"VARIABLE"`
	JSON     bool          `help:"Print exactly one JSON object on standard output."`
	Timeout  time.Duration `help:"Longest wait for a remote service." default:"1m"`
	Dir      string        `arg:"" optional:"" help:"Directory of key files (.p12, .pfx, .pem)." default:"."`
}

// Run lists. A file that cannot be opened is listed as such.
func (c keyListCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if c.CSC != "" {
		return c.credentials(ctx)
	}
	keys, err := c.files()
	if err != nil {
		return explain(c.Dir, err)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(struct {
			Keys []keyFacts `json:"keys"`
		}{keys})
	}
	for _, k := range keys {
		fmt.Printf("%s  %s  %s  %s\n", k.File, cmp.Or(k.Type, "?"), k.verdict(), k.Subject)
	}
	return nil
}

func (c keyListCommand) files() ([]keyFacts, error) {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, err
	}
	var passphrase []byte
	if len(c.PassEnv) > 0 {
		if passphrase, err = joinedSecret("--pass-env", c.PassEnv); err != nil {
			return nil, err
		}
	}
	keys := []keyFacts{}
	for _, e := range entries {
		if !slices.Contains([]string{".p12", ".pfx", ".pem"}, filepath.Ext(e.Name())) {
			continue
		}
		id, err := softkey.Open(filepath.Join(c.Dir, e.Name()), passphrase)
		var f keyFacts
		switch {
		case err == nil:
			if f, err = factsOf(id, time.Now()); err != nil {
				return nil, err
			}
		case errors.Is(err, softkey.ErrPassphrase):
			f.Reason, f.Detail = reasonPassphrase, err.Error()
		case filepath.Ext(e.Name()) == ".pem" && errors.Is(err, softkey.ErrFormat):
			continue // PEM holds much that is no key
		default:
			f.Reason, f.Detail = reasonUnreadable, err.Error()
		}
		f.File = e.Name()
		keys = append(keys, f)
	}
	return keys, nil
}

func (c keyListCommand) credentials(ctx context.Context) error {
	client, err := keyFlags{CSC: c.CSC, TokenEnv: c.TokenEnv}.service()
	if err != nil {
		return explain(c.CSC, err)
	}
	ids, err := client.Credentials(ctx)
	if err != nil {
		return explain(c.CSC, err)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(struct {
			Credentials []string `json:"credentials"`
		}{append([]string{}, ids...)})
	}
	for _, id := range ids {
		fmt.Println(id)
	}
	return nil
}

func samePublicKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
