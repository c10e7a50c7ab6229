package csc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
)

// service is a remote signing service for one credential, written from the specification: it
// binds each authorisation to the digests it was asked for, and uses it up.
type service struct {
	leaf  signertest.Leaf
	url   string
	fault string // what goes wrong; guarded by mu, as all below

	mu         sync.Mutex
	algorithms []string
	mode       string
	multi      int
	sads       map[string][]string // what each unused authorisation is for
	calls      map[string]int
	wrongPINs  int

	// of oauth_server_test.go
	needLogin bool // only tokens that a login gave are accepted
	issuer    string
	scal      string
	serial    int
	codes     map[string]grant
	tokens    map[string]grant
	logins    map[string]int // tokens given, by scope
	// pending is how often the service answers "accepted" before anything is decided
	pending int
	held    map[string][]string // signatures not collected yet
}

const (
	token, pin   = "access-token", "4711"
	credentialID = "official-1"
)

func newService(t *testing.T, kind signertest.KeyType) *service {
	t.Helper()
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	f := signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Thử", "")
	f.KeyType = kind
	s := &service{mode: "explicit", multi: 10, sads: map[string][]string{}, calls: map[string]int{}, scal: "1",
		codes: map[string]grant{}, tokens: map[string]grant{}, logins: map[string]int{}, held: map[string][]string{}}
	if s.leaf, err = p.Issue(f); err != nil {
		t.Fatal(err)
	}
	for _, a := range signertest.Algorithms(s.leaf.Key.Public()) {
		oid, err := a.OID()
		if err != nil {
			t.Fatal(err)
		}
		s.algorithms = append(s.algorithms, oid.String())
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.url = srv.URL + "/csc/v2"
	return s
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.oauth(w, r) {
		return
	}
	method := r.URL.Path[len("/csc/v2/"):]
	s.calls[method]++
	var in map[string]any
	if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&in) != nil {
		refuse(w, 400, "invalid_request")
		return
	}
	if method != "info" && !s.accepts(r.Header.Get("Authorization")) {
		refuse(w, 401, "invalid_token")
		return
	}
	general := []string{"info", "credentials/list", "credentials/authorizeCheck", "signatures/signPolling"}
	if !slices.Contains(general, method) && in["credentialID"] != credentialID {
		refuse(w, 400, "invalid_request")
		return
	}
	if s.fault == method+" 503" {
		http.Error(w, "<html>down</html>", http.StatusServiceUnavailable)
		return
	}
	if s.fault == method+" garbage" {
		_, _ = w.Write([]byte("<html>"))
		return
	}
	switch method {
	case "info":
		s.about(w)
	case "credentials/list":
		reply(w, map[string]any{"credentialIDs": []string{credentialID}})
	case "credentials/info":
		s.info(w)
	case "credentials/authorize":
		s.authorize(w, in)
	case "signatures/signHash":
		s.signHash(w, in)
	case "credentials/authorizeCheck":
		s.decide(w, fmt.Sprint(in["handle"]))
	case "credentials/getChallenge":
		s.challenge(w, in["authObjectID"])
	case "signatures/signPolling":
		s.collect(w, fmt.Sprint(in["requestID"]))
	default:
		refuse(w, 404, "invalid_request")
	}
}

func (s *service) accepts(authorization string) bool {
	value := strings.TrimPrefix(authorization, "Bearer ")
	if s.needLogin {
		return s.tokens[value].scope == "service"
	}
	return value == token
}

func (s *service) about(w http.ResponseWriter) {
	answer := map[string]any{"specs": "2.0.0.2", "name": "Thử", "methods": []string{"credentials/list", "signatures/signHash"},
		"authType": []string{"oauth2code"}, "asynchronousOperationMode": true}
	if s.issuer != "" {
		answer["oauth2Issuer"] = s.issuer
	} else {
		answer["oauth2"] = strings.TrimSuffix(s.url, "/csc/v2") + "/"
	}
	reply(w, answer)
}

// decide answers "accepted" while the official has not decided.
func (s *service) decide(w http.ResponseWriter, handle string) {
	sad := strings.TrimPrefix(handle, "handle of ")
	switch {
	case s.fault == "declined":
		refuse(w, 400, "access_denied")
	case s.calls["credentials/authorizeCheck"] < s.pending:
		w.WriteHeader(http.StatusAccepted)
		if s.fault == "no handle" {
			reply(w, map[string]any{})
			return
		}
		reply(w, map[string]any{"handle": handle})
	default:
		reply(w, map[string]any{"SAD": sad})
	}
}

func (s *service) challenge(w http.ResponseWriter, factor any) {
	if factor == "OTP" {
		w.WriteHeader(http.StatusNoContent) // sent to his telephone
		return
	}
	reply(w, map[string]any{"challenge": "Quê ở đâu?"})
}

// collect gives the signatures of an asynchronous request.
func (s *service) collect(w http.ResponseWriter, id string) {
	signatures, ok := s.held[id]
	switch {
	case !ok:
		refuse(w, 400, "invalid_request")
	case s.calls["signatures/signPolling"] <= s.pending:
		w.WriteHeader(http.StatusAccepted)
		reply(w, map[string]string{"error": "accepted_request", "error_description": "not yet completed"})
	default:
		reply(w, map[string]any{"signatures": signatures})
	}
}

func reply(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	reply(w, map[string]string{"error": code, "error_description": "refused"})
}

func (s *service) info(w http.ResponseWriter) {
	var certs []string
	for _, c := range append([]*x509.Certificate{s.leaf.Certificate}, s.leaf.Chain...) {
		certs = append(certs, base64.StdEncoding.EncodeToString(c.Raw))
	}
	status, certStatus, serial := "enabled", "valid", s.leaf.Certificate.SerialNumber.Text(16)
	switch s.fault {
	case "disabled":
		status = "disabled"
	case "revoked":
		certStatus = "revoked"
	case "no certificates":
		certs = nil
	case "wrong serial":
		serial = "77"
	}
	reply(w, map[string]any{
		"key": map[string]any{"status": status, "algo": s.algorithms}, "cert": map[string]any{"status": certStatus, "certificates": certs, "serialNumber": serial},
		"auth": map[string]any{"mode": s.mode, "objects": []map[string]string{{"id": "PIN"}}}, "multisign": s.multi, "SCAL": s.scal,
	})
}

func (s *service) authorize(w http.ResponseWriter, in map[string]any) {
	if s.mode == "explicit" {
		factors, _ := in["authData"].([]any)
		given := ""
		for _, f := range factors {
			if m, _ := f.(map[string]any); m["id"] == "PIN" {
				given, _ = m["value"].(string)
			}
		}
		if given != pin {
			s.wrongPINs++
			refuse(w, 400, "invalid_pin")
			return
		}
	}
	hashes := texts(in["hashes"])
	if n, _ := in["numSignatures"].(float64); int(n) != len(hashes) || int(n) > s.multi {
		refuse(w, 400, "invalid_request")
		return
	}
	sad := "sad-" + strconv.Itoa(s.calls["credentials/authorize"])
	s.sads[sad] = hashes
	if s.pending > 0 {
		s.decide(w, "handle of "+sad)
		return
	}
	reply(w, map[string]any{"SAD": sad, "expiresIn": 300})
}

func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, x := range list {
		if t, ok := x.(string); ok {
			out = append(out, t)
		}
	}
	return out
}

func (s *service) signHash(w http.ResponseWriter, in map[string]any) {
	sad, _ := in["SAD"].(string)
	hashes := texts(in["hashes"])
	if authorised, ok := s.sads[sad]; !ok || !slices.Equal(authorised, hashes) {
		refuse(w, 400, "invalid_request")
		return
	}
	delete(s.sads, sad)
	opts := s.options(in)
	if opts == nil {
		refuse(w, 400, "invalid_request")
		return
	}
	var signatures []string
	for _, h := range hashes {
		digest, err := base64.StdEncoding.DecodeString(h)
		if err != nil {
			refuse(w, 400, "invalid_request")
			return
		}
		value, err := s.leaf.Private.Sign(rand.Reader, digest, opts)
		if err != nil {
			refuse(w, 400, "invalid_request")
			return
		}
		signatures = append(signatures, base64.StdEncoding.EncodeToString(s.spoil(value)))
	}
	switch s.fault {
	case "swapped":
		slices.Reverse(signatures)
	case "one less":
		signatures = signatures[1:]
	}
	if in["operationMode"] == "A" {
		s.held["later"] = signatures
		reply(w, map[string]any{"responseID": "later"})
		return
	}
	reply(w, map[string]any{"signatures": signatures})
}

// options reads hashAlgorithmOID, signAlgo and signAlgoParams; nil if they do not go together.
func (s *service) options(in map[string]any) crypto.SignerOpts {
	name, _ := in["signAlgo"].(string)
	hashName, _ := in["hashAlgorithmOID"].(string)
	hash := map[string]crypto.Hash{"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512}[hashName]
	if hash == 0 || !slices.Contains(s.algorithms, name) {
		return nil
	}
	if name == "1.2.840.113549.1.1.1" {
		return hash
	}
	params, _ := in["signAlgoParams"].(string)
	der, err := base64.StdEncoding.DecodeString(params)
	if err != nil {
		return nil
	}
	alg, err := cms.ParseAlgorithm(oidOf(name), der)
	if err != nil || alg.Hash != hash {
		return nil
	}
	if alg.Scheme == cms.RSAPSS {
		return &rsa.PSSOptions{SaltLength: alg.SaltLength, Hash: hash}
	}
	return hash
}

func oidOf(s string) asn1.ObjectIdentifier {
	var oid asn1.ObjectIdentifier
	n := 0
	for _, c := range s + "." {
		if c == '.' {
			oid, n = append(oid, n), 0
			continue
		}
		n = n*10 + int(c-'0')
	}
	return oid
}

func (s *service) spoil(value []byte) []byte {
	switch s.fault {
	case "forged":
		value[len(value)-1] ^= 1
	case "raw ECDSA":
		var sig struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(value, &sig); err == nil {
			n := (s.leaf.Certificate.PublicKey.(*ecdsa.PublicKey).Curve.Params().BitSize + 7) / 8
			return append(sig.R.FillBytes(make([]byte, n)), sig.S.FillBytes(make([]byte, n))...)
		}
	}
	return value
}
