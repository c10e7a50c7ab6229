package timestamp_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/timestamp"
)

var contentsHex = regexp.MustCompile(`/Contents\s*<([0-9A-Fa-f\s]{200,})>`)

// TestPublishedTokens verifies the time-stamps in published files, of authorities in use:
// signature, and imprint over the signature value.
func TestPublishedTokens(t *testing.T) {
	dir := os.Getenv("SAOY_CORPORA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.pdf"))
	if err != nil || len(files) == 0 {
		t.Skipf("no corpora in %s", dir)
	}
	verified := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range contentsHex.FindAllSubmatch(data, -1) {
			digits := bytes.Join(bytes.Fields(m[1]), nil)
			raw := make([]byte, len(digits)/2)
			if _, err := hex.Decode(raw, digits[:len(digits)&^1]); err != nil {
				continue
			}
			if checkPublished(t, filepath.Base(file), raw) {
				verified++
			}
		}
	}
	t.Logf("%d time-stamps verified", verified)
	if verified == 0 {
		t.Error("no published time-stamp was verified")
	}
}

// checkPublished verifies the tokens in one /Contents, or the token that it is itself.
func checkPublished(t *testing.T, file string, contents []byte) bool {
	element, _, err := cms.Split(contents)
	if err != nil {
		return false
	}
	sd, err := cms.Parse(element)
	if err != nil {
		return false
	}
	tokens := [][]byte{}
	if sd.ContentType.Equal(cms.OIDTSTInfo) {
		tokens = append(tokens, element)
	}
	over := map[int][]byte{}
	for _, si := range sd.Signers {
		for _, token := range si.TimeStampTokens() {
			over[len(tokens)] = si.Signature
			tokens = append(tokens, token)
		}
	}
	good := false
	for i, der := range tokens {
		tok, err := timestamp.ParseToken(der)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		v := tok.VerifySignature(sd.Certificates...)
		if signature, ok := over[i]; ok && tok.Covers(cms.BytesOf(signature)) != nil {
			t.Logf("%s: token is over something else", file)
			continue
		}
		if v.Err() != nil {
			t.Logf("%s: %v", file, v.Err())
			continue
		}
		if err := timestamp.CheckAuthority(v.Signer); err != nil {
			t.Logf("%s: %v", file, err)
		}
		good = true
	}
	return good
}
