package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pkcs11"
	"github.com/saoy/saoy/signer/softkey"
)

// keyCommand makes and looks after signing keys.
type keyCommand struct {
	Create   keyCreateCommand   `cmd:"" help:"Make a key in an encrypted file. It signs nothing until a certificate is imported."`
	CSR      keyCSRCommand      `cmd:"" name:"csr" help:"Make a certificate request for a key, in a file or a token."`
	Import   keyImportCommand   `cmd:"" help:"Put an authority's certificate and its issuers into a key file."`
	Show     keyShowCommand     `cmd:"" help:"Show a key, its certificate, and whether it may sign."`
	List     keyListCommand     `cmd:"" help:"List the key files of a directory, or the credentials of a remote service."`
	Enrol    keyEnrolCommand    `cmd:"" help:"Say with which key an official signs or an agency seals, after checking it."`
	Ceremony keyCeremonyCommand `cmd:"" help:"Make a key before witnesses, with a written record of what was done."`
}

// minPassphrase is in bytes: a key file may be copied and tried at leisure.
const minPassphrase = 12

// newPassphrase reads the passphrase of a key to be made. Given in parts, by several
// variables, no holder of one part can open the file alone.
func newPassphrase(variables []string) ([]byte, error) {
	passphrase, err := joinedSecret("--pass-env", variables)
	if err == nil && len(passphrase) < minPassphrase {
		err = certcopy.Errorf(certcopy.Invalid, "--pass-env", nil, certcopy.Msg(
			fmt.Sprintf("Mật khẩu quá ngắn: cần ít nhất %d ký tự.", minPassphrase), fmt.Sprintf("The passphrase is too short: at least %d characters are needed.", minPassphrase)))
	}
	return passphrase, err
}

// keyCreateCommand makes a key file.
type keyCreateCommand struct {
	subjectFlags
	Type    string   `help:"Type of the key: ${enum}." enum:"P-256,P-384,RSA-2048,RSA-3072,RSA-4096" default:"RSA-3072"`
	PassEnv []string `help:"Environment variable with the passphrase; repeated: its parts, in order." placeholder:"VARIABLE"`
	File    string   `arg:"" help:"Key file to be made, PKCS #12."`
}

// Run makes the key. An existing file is never touched.
func (c keyCreateCommand) Run() error {
	subject, err := c.name()
	if err != nil {
		return explain(c.File, err)
	}
	passphrase, err := newPassphrase(c.PassEnv)
	if err != nil {
		return explain(c.File, err)
	}
	private, err := generateKey(c.Type)
	if err != nil {
		return explain(c.File, err)
	}
	id, err := withPlaceholder(private, subject, c.Email, time.Now())
	if err != nil {
		return explain(c.File, err)
	}
	if err := softkey.Save(c.File, id, passphrase); errors.Is(err, fs.ErrExist) {
		return explain(c.File, certcopy.Errorf(certcopy.Conflict, c.File, nil, certcopy.Msg(
			"Đã có tệp mang tên này; nó không bị thay đổi. Hãy chọn tên khác.", "A file of this name exists; it was left as it is. Choose another name.")))
	} else if err != nil {
		return explain(c.File, err)
	}
	print, err := publicFingerprint(private.Public())
	fmt.Printf("%s\n  %s  khóa/key SHA-256 %s\n  Tiếp theo/next: saoy key csr --p12 %s … %s.csr\n", c.File, c.Type, print, c.File, c.File)
	return err
}

// keyCSRCommand makes a certificate request.
type keyCSRCommand struct {
	subjectFlags
	P12     string   `help:"Key file in PKCS #12. Its subject is asked for, unless --cn is given." name:"p12" xor:"key" required:"" placeholder:"FILE"`
	PKCS11  string   `help:"Key in a token or HSM, by URI; its public key must be there too." name:"pkcs11" xor:"key" required:"" placeholder:"URI"`
	PassEnv []string `help:"Environment variable with the passphrase; repeated: its parts, in order." placeholder:"VARIABLE"`
	PinEnv  string   `help:"Environment variable with the PIN of the token." placeholder:"VARIABLE"`
	Out     string   `arg:"" help:"Request to be made, PEM."`
}

// Run makes the request.
func (c keyCSRCommand) Run(ctx context.Context) error {
	request, err := c.request(ctx)
	if err == nil {
		err = writeNew(c.Out, request, 0o644)
	}
	if err != nil {
		return explain(c.Out, err)
	}
	fmt.Printf("%s\n  SHA-256 %s\n", c.Out, fingerprint(request))
	return nil
}

func (c keyCSRCommand) request(ctx context.Context) ([]byte, error) {
	key, certificate, done, err := c.key()
	if err != nil {
		return nil, err
	}
	defer done()
	if c.CN == "" && certificate != nil {
		return newRequest(ctx, key, certificate.RawSubject, certificate.EmailAddresses)
	}
	subject, err := c.rawSubject()
	if err != nil {
		return nil, err
	}
	return newRequest(ctx, key, subject, one(c.Email))
}

// key returns the key and, of a file, the certificate with it.
func (c keyCSRCommand) key() (signer.Key, *x509.Certificate, func(), error) {
	if c.PKCS11 != "" {
		cfg, err := keyFlags{PKCS11: c.PKCS11, PinEnv: c.PinEnv}.tokenConfig()
		if err != nil {
			return nil, nil, nil, err
		}
		token, key, err := pkcs11.OpenKey(cfg)
		if err != nil {
			return nil, nil, nil, keyFailure(err)
		}
		return key, nil, func() { _ = token.Close() }, nil
	}
	passphrase, err := joinedSecret("--pass-env", c.PassEnv)
	if err != nil {
		return nil, nil, nil, err
	}
	id, err := softkey.Open(c.P12, passphrase)
	if err != nil {
		return nil, nil, nil, keyFailure(err)
	}
	return id.Key, id.Certificate, func() {}, nil
}

// keyImportCommand replaces the certificates of a key file.
type keyImportCommand struct {
	PassEnv []string `help:"Environment variable with the passphrase; repeated: its parts, in order." placeholder:"VARIABLE"`
	File    string   `arg:"" help:"Key file, PKCS #12."`
	Chain   string   `arg:"" help:"PEM file with the key's certificate and its issuers, in any order."`
}

// Run imports. The key file is replaced whole, or stays as it is.
func (c keyImportCommand) Run() error {
	id, err := c.replace()
	if err != nil {
		return explain(c.File, err)
	}
	return printKey(id, false)
}

func (c keyImportCommand) replace() (signer.Identity, error) {
	passphrase, err := joinedSecret("--pass-env", c.PassEnv)
	if err != nil {
		return signer.Identity{}, err
	}
	id, err := softkey.Open(c.File, passphrase)
	if err != nil {
		return id, err
	}
	certificates, err := readCertificates(c.Chain)
	if err != nil {
		return id, err
	}
	if id.Certificate = certificateOf(id.Key, certificates); id.Certificate == nil {
		return id, certcopy.Errorf(certcopy.Invalid, c.Chain, nil, certcopy.Msg(
			"Không có chứng thư nào trong tệp là của khóa này.", "No certificate in the file is for this key."))
	}
	id.Chain = signer.OrderChain(id.Certificate, certificates)
	if err := signer.Check(id, time.Now()); err != nil {
		return id, err
	}
	data, err := softkey.Encode(id, passphrase)
	if err != nil {
		return id, err
	}
	// what cannot be read back must not take the place of the only copy of a key
	if _, err := softkey.Decode(data, passphrase); err != nil {
		return id, err
	}
	return id, writeDurably(c.File, data)
}

// certificateOf returns the key's certificate, the one that ends last if there are several.
func certificateOf(key signer.Key, certificates []*x509.Certificate) *x509.Certificate {
	var best *x509.Certificate
	for _, c := range certificates {
		if samePublicKey(key.Public(), c.PublicKey) && (best == nil || c.NotAfter.After(best.NotAfter)) {
			best = c
		}
	}
	return best
}

// writeNew writes a file that must not exist yet.
func writeNew(name string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return alreadyThere(name)
	}
	if err != nil {
		return notWritable(name, err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(name)
		return notWritable(name, err)
	}
	return nil
}
