package csc

import (
	"encoding/json"
	"testing"
)

// FuzzCredential: whatever a service answers, there is a credential with a certificate or an
// error.
func FuzzCredential(f *testing.F) {
	f.Add([]byte(`{"key":{"status":"enabled","algo":["1.2.840.113549.1.1.11"]},"cert":{"status":"valid","certificates":["MIIB"]},"auth":{"mode":"explicit","objects":[{"id":"PIN"}]},"multisign":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out credentialAnswer
		if json.Unmarshal(data, &out) != nil {
			return
		}
		c, err := out.credential("x")
		if err == nil && (c.Certificate == nil || c.MultiSign < 1) {
			t.Errorf("%+v", c)
		}
	})
}
