package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/demo"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/internal/verify/sheet"
	"github.com/saoy/saoy/internal/web/api"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/softkey"
	"github.com/saoy/saoy/signer/trust"
)

// resultFlags say with what results of verifications are signed.
type resultFlags struct {
	// ResultKey is a key file (PKCS #12) of its own: who has it signs results in the name of
	// the service, and no copies. A demonstration makes one. Its passphrase is in
	// SAOY_RESULT_KEY_PASSPHRASE.
	ResultKey string `help:"Key file (PKCS #12) that signs results of verifications; passphrase in SAOY_RESULT_KEY_PASSPHRASE. Default: none are signed." env:"SAOY_RESULT_KEY" type:"path" yaml:"result_key"`
	// ResultCertificates are the certificates of that key and of earlier ones, in PEM. A process
	// that has not the key (the public site by itself) knows results again by them, and offers
	// to have one made at the API's address.
	ResultCertificates filePath `kong:"-" yaml:"result_certificates"`
}

// results is what this process needs to make signed results of verifications.
type results struct {
	authority *signertest.PKI // of the demonstration; else nil
	identity  signer.Identity
	collector func() pades.Collector
	stamps    func() signer.TimeStamper
	anchors   []sheet.Anchor
	pictures  lookers
}

// openResults finds the key for results, and has the verifier draw, and know them again. The
// anchor of a demonstration's results is only for verifying: no copy is issued under it.
func (a *app) openResults(anchors []trust.Anchor, examiner verify.Confined) error {
	r := &results{pictures: lookers{picture.Confined{Runner: examiner.Runner, Cache: a.place.cache()}, a.previews},
		collector: func() pades.Collector { return a.flow.Revocation }, stamps: func() signer.TimeStamper { return a.flow.Stamps }}
	for _, anchor := range anchors {
		r.anchors = append(r.anchors, sheet.Anchor{Name: anchor.Name, Fingerprint: fingerprintOf(anchor.Certificate.Raw), From: anchor.From, Until: anchor.Until})
	}
	a.results = r
	a.verifier.Reader = r.pictures
	if err := a.knowResults(); err != nil {
		return err
	}
	if a.config.ResultKey != "" && a.config.runs(roleAPI) {
		id, err := softkey.Load(a.config.ResultKey, []byte(os.Getenv("SAOY_RESULT_KEY_PASSPHRASE")), time.Now)
		if err != nil {
			return fmt.Errorf("the key for results: %w", err)
		}
		r.identity, a.verifier.Results = id, append(a.verifier.Results, fingerprintOf(id.Certificate.Raw))
		return nil
	}
	if a.authority == nil {
		return nil
	}
	return a.openDemonstrationResults(anchors, examiner)
}

// knowResults notes which certificates sign results.
func (a *app) knowResults() error {
	if a.config.ResultCertificates == "" {
		return nil
	}
	certificates, err := readCertificates(string(a.config.ResultCertificates))
	for _, c := range certificates {
		a.verifier.Results = append(a.verifier.Results, fingerprintOf(c.Raw))
	}
	return err
}

func (a *app) openDemonstrationResults(anchors []trust.Anchor, examiner verify.Confined) (err error) {
	r := a.results
	if r.authority, err = demo.OpenResultAuthority(a.place.demo(), a.base.String(), time.Now); err != nil {
		return err
	}
	all := append([]trust.Anchor(nil), anchors...)
	for _, c := range r.authority.Anchors() {
		all = append(all, trust.Anchor{Name: resultAnchorName, Certificate: c})
	}
	store := trust.NewStore(all...)
	examiner.Anchors = store
	a.verifier.Examiner = examiner
	collector := newCollector(store, r.authority.Transport(a.authority.Transport(http.DefaultTransport)))
	r.collector = func() pades.Collector { return collector }
	if r.identity, err = a.demonstrationResultKey(); err != nil {
		return err
	}
	a.verifier.Results = []string{fingerprintOf(r.identity.Certificate.Raw)}
	return nil
}

// resultAnchorName is how reports call the root of a demonstration's results.
const resultAnchorName = "Saoy trình diễn: chỉ cho kết quả kiểm tra, không cho bản sao"

// demonstrationResultKey opens the key, made on first use.
func (a *app) demonstrationResultKey() (signer.Identity, error) {
	path := filepath.Join(a.place.keys(), "result.p12")
	passphrase, err := secrets{dir: a.config.secretsDir(), mayMake: true}.passphrase()
	if err != nil {
		return signer.Identity{}, err
	}
	id, err := softkey.Load(path, passphrase.Reveal(), time.Now)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return id, err
	}
	leaf, err := a.results.authority.Issue(demo.ResultProfile())
	if err != nil {
		return id, err
	}
	b, err := softkey.Encode(leaf.Identity, passphrase.Reveal())
	if err != nil {
		return id, err
	}
	return leaf.Identity, writeDurably(path, b)
}

func fingerprintOf(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return hex.EncodeToString(sum[:])
}

// resultSigner returns who signs results; nil where there is no key.
func (a *app) resultSigner() api.ResultSigner {
	if a.results == nil || a.results.identity.Key == nil {
		return nil
	}
	return a.results
}

// documentAddress is where the public site sends a file for a signed result: the API, here or in
// another process behind the same address. Empty where no result is signed.
func (a *app) documentAddress() string {
	signed := a.resultSigner() != nil
	if !a.config.runs(roleAPI) {
		signed = len(a.verifier.Results) > 0
	}
	if !signed {
		return ""
	}
	return api.Prefix + "/verifications?format=pdf"
}

// SignResult implements api.ResultSigner: certified against any change, B-LT.
func (r *results) SignResult(ctx context.Context, document []byte) ([]byte, error) {
	var out bytes.Buffer
	_, err := pades.Sign(ctx, bytes.NewReader(document), int64(len(document)), &out, r.identity, pades.Options{
		Field: verify.ResultField, SigningTime: time.Now(), Certify: 1, Reason: "Kết quả kiểm tra chữ ký số, không phải bản sao chứng thực",
	}, pades.Means{Level: pades.BLT, TimeStamper: r.stamps(), Collector: r.collector()})
	if errors.Is(err, signer.ErrUnavailable) || errors.Is(err, trust.ErrRevocationUnknown) {
		return nil, certcopy.Errorf(certcopy.Unavailable, "", err, certcopy.Msg(
			"Tạm thời chưa ký được kết quả: dịch vụ dấu thời gian hoặc thu hồi không trả lời. Hãy thử lại sau ít phút.",
			"The result cannot be signed at the moment: time-stamping or revocation does not answer. Try again in a few minutes."))
	}
	return out.Bytes(), err
}
