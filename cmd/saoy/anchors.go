package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/demo"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

// anchorsFile is the dated list of trust anchors that `saoy verify --trust` and
// `saoy serve --anchors` read: JSON, described in docs/verification.md. Unknown keys are
// errors, so that a misspelt "until" does not trust for ever.
type anchorsFile struct {
	Anchors []anchorEntry `json:"anchors"`
}

// anchorEntry is one anchor.
type anchorEntry struct {
	// Name is what people know it by.
	Name struct {
		VI string `json:"vi"`
		EN string `json:"en"`
	} `json:"name"`
	// Certificate is PEM; File is a PEM file instead, beside the list unless its path is absolute.
	Certificate string `json:"certificate"`
	File        string `json:"file"`
	// SHA256 is the fingerprint of the DER; where given, another certificate is refused.
	SHA256 string `json:"sha256"`
	// From and Until are days, in the time of Viet Nam, or times of RFC 3339; Until is excluded.
	From  anchorTime `json:"from"`
	Until anchorTime `json:"until"`
	// Purposes are "signature" and "time-stamp"; at least one.
	Purposes []anchorPurpose `json:"purposes"`
	// Demonstration marks an authority whose certificates prove nothing.
	Demonstration bool `json:"demonstration"`
}

type anchorTime time.Time

// vietnam is the zone of days without a time.
var vietnam = time.FixedZone("ICT", 7*60*60)

// UnmarshalText reads "2031-12-31" or an RFC 3339 time.
func (t *anchorTime) UnmarshalText(b []byte) error {
	at, err := time.ParseInLocation(time.DateOnly, string(b), vietnam)
	if err != nil {
		at, err = time.Parse(time.RFC3339, string(b))
	}
	*t = anchorTime(at)
	return err
}

type anchorPurpose trust.Purpose

// UnmarshalText reads a purpose by its name.
func (p *anchorPurpose) UnmarshalText(b []byte) error {
	switch string(b) {
	case "signature":
		*p = anchorPurpose(trust.Signing)
	case "time-stamp":
		*p = anchorPurpose(trust.TimeStamping)
	default:
		return fmt.Errorf("purpose %q is none of signature, time-stamp", b)
	}
	return nil
}

// loadAnchors reads the trust anchors of a real installation: a dated list in JSON, or PEM
// certificates, which are trusted for everything as long as they are valid. Demonstration
// authorities are refused, whether the file calls them so or not. Errors are
// certcopy.Invalid or certcopy.NotFound.
func loadAnchors(path string) (*trust.Store, error) {
	anchors, err := readAnchors(path)
	if err != nil {
		return nil, err
	}
	for _, a := range anchors {
		if a.Demonstration {
			return nil, certcopy.Errorf(certcopy.Invalid, path, fmt.Errorf("%q is a demonstration authority", a.Name), certcopy.Msg(
				"Tệp nơi tin cậy có nơi cấp chứng thư trình diễn, không có giá trị pháp lý. Hãy bỏ nó ra khỏi tệp.",
				"The file of trust anchors names a demonstration authority, which has no legal value. Remove it from the file."))
		}
	}
	return trust.NewStore(anchors...), nil
}

// readAnchors reads a dated list or PEM certificates. Demonstration authorities are marked.
func readAnchors(path string) ([]trust.Anchor, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, certcopy.Errorf(certcopy.NotFound, path, err, certcopy.Msg(
			"Không đọc được tệp nơi tin cậy. Hãy kiểm tra đường dẫn và quyền đọc.",
			"The file of trust anchors cannot be read. Check its path and permissions."))
	}
	read := anchorsOfPEM
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		read = func(b []byte) ([]trust.Anchor, error) { return anchorsOfJSON(b, filepath.Dir(path)) }
	}
	anchors, err := read(b)
	if err != nil {
		return nil, certcopy.Errorf(certcopy.Invalid, path, err, certcopy.Msg(
			"Tệp nơi tin cậy có lỗi ("+err.Error()+"). Hãy sửa tệp theo docs/verification.md.",
			"The file of trust anchors has an error ("+err.Error()+"). Correct it after docs/verification.md."))
	}
	return anchors, nil
}

// anchorsOfPEM names each certificate by its subject.
func anchorsOfPEM(b []byte) ([]trust.Anchor, error) {
	certificates, err := trust.ParsePEM(b)
	if err != nil {
		return nil, err
	}
	anchors := make([]trust.Anchor, 0, len(certificates))
	for _, c := range certificates {
		anchors = append(anchors, trust.Anchor{Name: c.Subject.String(), Certificate: c, Demonstration: demo.IsDemonstration(c)})
	}
	return anchors, nil
}

func anchorsOfJSON(b []byte, dir string) ([]trust.Anchor, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var list anchorsFile
	if err := d.Decode(&list); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	if len(list.Anchors) == 0 {
		return nil, errors.New(`"anchors" is empty`)
	}
	anchors := make([]trust.Anchor, 0, len(list.Anchors))
	for i, e := range list.Anchors {
		a, err := e.anchor(dir)
		if err != nil {
			return nil, fmt.Errorf("anchor %d (%s): %w", i+1, e.Name.VI, err)
		}
		for _, other := range anchors {
			if other.Certificate.Equal(a.Certificate) {
				return nil, fmt.Errorf("anchor %d (%s): the certificate of %q again", i+1, e.Name.VI, other.Name)
			}
		}
		anchors = append(anchors, a)
	}
	return anchors, nil
}

// anchor checks an entry.
func (e anchorEntry) anchor(dir string) (trust.Anchor, error) {
	a := trust.Anchor{Name: e.Name.VI, NameEN: e.Name.EN, From: time.Time(e.From), Until: time.Time(e.Until), Demonstration: e.Demonstration}
	for _, p := range e.Purposes {
		a.Purposes = append(a.Purposes, trust.Purpose(p))
	}
	var err error
	if a.Certificate, err = e.certificate(dir); err != nil {
		return a, err
	}
	from, until := a.From, a.Until
	if from.IsZero() {
		from = a.Certificate.NotBefore
	}
	if until.IsZero() {
		until = a.Certificate.NotAfter
	}
	switch {
	case strings.TrimSpace(a.Name) == "" || strings.TrimSpace(a.NameEN) == "":
		return a, errors.New(`"name" needs "vi" and "en"`)
	case len(a.Purposes) == 0:
		return a, errors.New(`"purposes" needs "signature", "time-stamp" or both`)
	case !from.Before(until):
		return a, fmt.Errorf("trusted from %s until %s: never", from.Format(time.RFC3339), until.Format(time.RFC3339))
	case demo.IsDemonstration(a.Certificate) && !a.Demonstration:
		return a, errors.New(`a demonstration authority without "demonstration": true`)
	}
	return a, nil
}

// certificate reads the one certificate of an entry.
func (e anchorEntry) certificate(dir string) (*x509.Certificate, error) {
	pem := []byte(e.Certificate)
	if (e.File == "") == (e.Certificate == "") {
		return nil, errors.New(`one of "certificate" and "file" is needed`)
	}
	if e.File != "" {
		path := e.File
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		var err error
		if pem, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	certificates, err := trust.ParsePEM(pem)
	if err != nil {
		return nil, err
	}
	if len(certificates) != 1 {
		return nil, fmt.Errorf("%d certificates, want one", len(certificates))
	}
	want := strings.ToLower(strings.ReplaceAll(e.SHA256, ":", ""))
	if got := certcopy.DigestOf(certificates[0].Raw).String(); want != "" && got != want {
		return nil, fmt.Errorf("the certificate's SHA-256 is %s, not %s", got, want)
	}
	return certificates[0], nil
}

// readPolicy reads a policy of algorithms.
func readPolicy(path string) (*validation.Policy, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, certcopy.Errorf(certcopy.NotFound, path, err, certcopy.Msg(
			"Không đọc được tệp chính sách thuật toán. Hãy kiểm tra đường dẫn.", "The policy of algorithms cannot be read. Check its path."))
	}
	policy, err := validation.ParsePolicy(b)
	if err != nil {
		return nil, certcopy.Errorf(certcopy.Invalid, path, err, certcopy.Msg(
			"Tệp chính sách thuật toán có lỗi ("+err.Error()+"). Hãy sửa tệp theo docs/verification.md.",
			"The policy of algorithms has an error ("+err.Error()+"). Correct it after docs/verification.md."))
	}
	return policy, nil
}
