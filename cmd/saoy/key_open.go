package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/csc"
	"github.com/saoy/saoy/signer/pkcs11"
	"github.com/saoy/saoy/signer/softkey"
	"github.com/saoy/saoy/storage"
)

// The kinds of keys that a service can use by itself, and how their places begin.
const (
	softKind   = "soft"
	tokenKind  = "pkcs11"
	remoteKind = "csc"

	softScheme   = "soft:"   // a file of DATA/keys
	tokenScheme  = "pkcs11:" // RFC 7512
	remoteScheme = "csc:"    // csc:https://host/csc/v2#CREDENTIAL
)

// kindOf returns the kind of a key by its place.
func kindOf(uri string) string {
	for _, kind := range []string{softKind, tokenKind, remoteKind} {
		if strings.HasPrefix(uri, kind+":") {
			return kind
		}
	}
	return ""
}

// open opens a key as its row in the ledger says, and refuses one that is not the recorded
// certificate's.
func (k *keyring) open(ctx context.Context, recorded storage.SigningKey) (openKey, error) {
	certificate, err := x509.ParseCertificate(recorded.Certificate)
	if err != nil {
		return openKey{}, fmt.Errorf("recorded certificate: %w: %w", storage.ErrDamaged, err)
	}
	var chain []*x509.Certificate
	for _, der := range recorded.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return openKey{}, fmt.Errorf("recorded chain: %w: %w", storage.ErrDamaged, err)
		}
		chain = append(chain, c)
	}
	key, err := k.openAt(ctx, recorded.URI, certificate, chain)
	if err != nil {
		return openKey{}, err
	}
	if !key.Certificate.Equal(certificate) {
		key.close()
		return openKey{}, fmt.Errorf("%w: the key's certificate is not the recorded one", signer.ErrKeyRefused)
	}
	return key, nil
}

// openAt opens a key at a place. certificate may be nil: then it is the one found there.
func (k *keyring) openAt(ctx context.Context, uri string, certificate *x509.Certificate, chain []*x509.Certificate) (key openKey, err error) {
	switch kindOf(uri) {
	case softKind:
		key, err = k.openSoft(strings.TrimPrefix(uri, softScheme))
	case tokenKind:
		key, err = k.openToken(uri, certificate, chain)
	case remoteKind:
		key, err = k.openRemote(ctx, strings.TrimPrefix(uri, remoteScheme))
	default:
		err = fmt.Errorf("%w: %q is the place of no key", signer.ErrKeyRefused, uri)
	}
	if err != nil {
		return openKey{}, err
	}
	key.Chain = signer.OrderChain(key.Certificate, append(slices.Clip(chain), key.Chain...))
	if key.close == nil {
		key.close = func() {}
	}
	return key, nil
}

func (k *keyring) openSoft(name string) (openKey, error) {
	if name != filepath.Base(name) {
		return openKey{}, fmt.Errorf("%w: %q is no file of the directory of keys", signer.ErrKeyRefused, name)
	}
	passphrase, err := k.passphrase()
	if err != nil {
		return openKey{}, err
	}
	id, err := softkey.Load(filepath.Join(k.dir, name), passphrase.Reveal(), time.Now)
	return openKey{Identity: id}, err
}

func (k *keyring) openToken(text string, certificate *x509.Certificate, chain []*x509.Certificate) (openKey, error) {
	uri, err := pkcs11.ParseURI(text)
	if err != nil {
		return openKey{}, fmt.Errorf("%w: %w", signer.ErrKeyRefused, err)
	}
	if !slices.Contains(k.config.Modules, uri.Module) {
		return openKey{}, certcopy.Errorf(certcopy.Invalid, "keys.modules", fmt.Errorf("%w: %s", signer.ErrKeyRefused, uri.Module), certcopy.Msg(
			"Thư viện của thiết bị ký không có trong keys.modules của cấu hình nên không được nạp. Nếu đúng là thư viện của cơ quan, hãy thêm vào.",
			"The token's library is not in keys.modules of the configuration and was not loaded. If it is yours, add it there."))
	}
	token, err := pkcs11.Open(pkcs11.Config{URI: uri, Certificate: certificate, Chain: chain, MaxSessions: k.config.Sessions, Clock: time.Now})
	if err != nil {
		return openKey{}, err
	}
	return openKey{token.Identity(), func() { _ = token.Close() }}, nil
}

func (k *keyring) openRemote(ctx context.Context, place string) (openKey, error) {
	address, credential, _ := strings.Cut(place, "#")
	i := slices.IndexFunc(k.config.Services, func(s serviceConfig) bool { return strings.TrimRight(s.URL, "/") == strings.TrimRight(address, "/") })
	if i < 0 || credential == "" {
		return openKey{}, certcopy.Errorf(certcopy.Invalid, "keys.services", fmt.Errorf("%w: %s", signer.ErrKeyRefused, address), certcopy.Msg(
			"Dịch vụ ký từ xa không có trong keys.services của cấu hình nên không được hỏi. Nếu đúng là dịch vụ của cơ quan, hãy thêm vào.",
			"The remote signing service is not in keys.services of the configuration and was not asked. If it is yours, add it there."))
	}
	service, err := k.config.Services[i].client()
	if err != nil {
		return openKey{}, err
	}
	id, err := service.Open(ctx, credential)
	return openKey{Identity: id}, err
}

// client speaks to the service; token and PIN are read when they are needed, so that they can
// be replaced while the program runs.
func (s serviceConfig) client() (*csc.Client, error) {
	return csc.New(csc.Config{
		BaseURL: s.URL, Clock: time.Now,
		Token: func(context.Context) (csc.Secret, error) {
			secret, err := secretFile(string(s.TokenFile))
			return csc.Secret(strings.TrimSpace(string(secret.Reveal()))), err
		},
		Authorize: func(_ context.Context, c csc.Credential, _ int) ([]csc.Factor, error) {
			var factors []csc.Factor
			for _, id := range c.Factors {
				if id != "PIN" {
					return nil, fmt.Errorf("%w: the credential wants %s, which a service has not", csc.ErrInteractive, id)
				}
				secret, err := secretFile(string(s.PINFile))
				if err != nil {
					return nil, err
				}
				factors = append(factors, csc.Factor{ID: id, Value: strings.TrimSpace(string(secret.Reveal()))})
			}
			return factors, nil
		},
	})
}

// refusal remembers that a token or service did not accept its secret: asked again and again
// with the wrong PIN, a token locks itself for ever. It stands until the secret's file changes.
type refusal struct {
	err   error
	files map[string]time.Time // of the secrets, and when they were last changed
}

// refusalBy returns what is to be remembered of an error; nil if trying again does no harm.
func (k *keyring) refusalBy(recorded storage.SigningKey, err error) *refusal {
	if !errors.Is(err, pkcs11.ErrPIN) && !errors.Is(err, csc.ErrAuthorization) {
		return nil
	}
	r := &refusal{files: map[string]time.Time{}, err: certcopy.Errorf(certcopy.Unavailable, "PIN", fmt.Errorf("%w: %w", signer.ErrKeyRefused, err), certcopy.Msg(
		"Thiết bị hoặc dịch vụ ký không nhận mã PIN. Hệ thống không thử lại để thiết bị không tự khóa; hãy báo quản trị viên sửa tệp PIN, bản sao sẽ tự tiếp tục.",
		"The token or signing service refused the PIN. It is not tried again, lest the token lock itself; ask the administrator to correct the PIN file, and the copy goes on by itself."))}
	if uri, parseErr := pkcs11.ParseURI(recorded.URI); parseErr == nil {
		r.files[uri.PINFile] = changed(uri.PINFile)
	}
	for _, s := range k.config.Services {
		for _, path := range []filePath{s.TokenFile, s.PINFile} {
			r.files[string(path)] = changed(string(path))
		}
	}
	return r
}

// stands returns the error while the secrets are those that were refused.
func (r *refusal) stands() error {
	if r == nil {
		return nil
	}
	for path, at := range r.files {
		if !changed(path).Equal(at) {
			return nil
		}
	}
	return r.err
}

// changed is when a file was last changed; the zero time if there is none.
func changed(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
