package main

import (
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
)

// remoteService is a signing service with one credential, as much of the CSC API v2 as the
// commands use: an authorisation is bound to its digests and used up.
type remoteService struct {
	leaf signertest.Leaf
	algo string

	mu   sync.Mutex
	sads map[string][]string // guarded by mu
}

// remoteCommand: remote starts a service and puts its address into $CSC.
func remoteCommand(ts *testscript.TestScript, _ bool, _ []string) {
	f := signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Ân Tường Đông", "")
	f.KeyType = signertest.P256
	leaf, err := worldOf(ts).pki.Issue(f)
	ts.Check(err)
	oid, err := cms.Algorithm{Scheme: cms.ECDSA, Hash: crypto.SHA256}.OID()
	ts.Check(err)
	server := httptest.NewServer(&remoteService{leaf: leaf, algo: oid.String(), sads: map[string][]string{}})
	ts.Defer(server.Close)
	ts.Setenv("CSC", server.URL+"/csc/v2")
}

func (s *remoteService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var in struct {
		AuthData []struct{ ID, Value string }
		Hashes   []string
		SAD      string
	}
	if r.Header.Get("Authorization") != "Bearer access" || json.NewDecoder(r.Body).Decode(&in) != nil {
		remoteReply(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	switch r.URL.Path {
	case "/csc/v2/credentials/list":
		remoteReply(w, http.StatusOK, map[string][]string{"credentialIDs": {"official-1"}})
	case "/csc/v2/credentials/info":
		s.info(w)
	case "/csc/v2/credentials/authorize":
		if len(in.AuthData) != 2 || in.AuthData[0].Value != "123456" || in.AuthData[1].Value != "998877" {
			remoteReply(w, http.StatusBadRequest, map[string]string{"error": "invalid_otp"})
			return
		}
		s.sads["sad"] = in.Hashes
		remoteReply(w, http.StatusOK, map[string]any{"SAD": "sad", "expiresIn": 300})
	case "/csc/v2/signatures/signHash":
		s.sign(w, in.SAD, in.Hashes)
	default:
		http.NotFound(w, r)
	}
}

func (s *remoteService) info(w http.ResponseWriter) {
	var certificates []string
	for _, c := range append([][]byte{s.leaf.Certificate.Raw}, s.leaf.Chain[0].Raw) {
		certificates = append(certificates, base64.StdEncoding.EncodeToString(c))
	}
	remoteReply(w, http.StatusOK, map[string]any{
		"key":  map[string]any{"status": "enabled", "algo": []string{s.algo}},
		"cert": map[string]any{"status": "valid", "certificates": certificates},
		"auth": map[string]any{"mode": "explicit", "objects": []map[string]string{{"id": "PIN"}, {"id": "OTP"}}}, "multisign": 1,
	})
}

func (s *remoteService) sign(w http.ResponseWriter, sad string, hashes []string) {
	authorised, ok := s.sads[sad]
	delete(s.sads, sad)
	if !ok || len(hashes) != 1 || !slices.Equal(authorised, hashes) {
		remoteReply(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	digest, err := base64.StdEncoding.DecodeString(hashes[0])
	if err == nil {
		var value []byte
		if value, err = s.leaf.Private.Sign(rand.Reader, digest, crypto.SHA256); err == nil {
			remoteReply(w, http.StatusOK, map[string][]string{"signatures": {base64.StdEncoding.EncodeToString(value)}})
			return
		}
	}
	http.Error(w, err.Error(), http.StatusBadRequest)
}

func remoteReply(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client sees what is missing
}
