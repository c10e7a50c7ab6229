package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/csc"
	"github.com/saoy/saoy/signer/pkcs11"
	"github.com/saoy/saoy/signer/softkey"
)

// keyFlags say where a key is. Secrets come from the environment: a command line can be read
// by every user of the machine.
type keyFlags struct {
	P12        string   `help:"Key file in PKCS #12, encrypted." name:"p12" xor:"key" required:"" placeholder:"FILE"`
	PEM        string   `help:"Key file in PEM, with its certificates." name:"pem" xor:"key" required:"" placeholder:"FILE"`
	PKCS11     string   `help:"Key in a token or HSM (RFC 7512): pkcs11:token=T;object=K?module-path=/path/module.so" name:"pkcs11" xor:"key" required:"" placeholder:"URI"`
	CSC        string   `help:"Remote signing service (CSC API v2): https://host/csc/v2" name:"csc" xor:"key" required:"" placeholder:"URL"`
	PassEnv    []string `help:"Environment variable with the passphrase of --p12; repeated: its parts, in order." placeholder:"VARIABLE"`
	PinEnv     string   `help:"Environment variable with the PIN of the token, or of the credential." placeholder:"VARIABLE"`
	Credential string   `help:"Identifier of the credential at the service; default: its only one." placeholder:"ID"`
	TokenEnv   string   `help:"Environment variable with the access token for the service." placeholder:"VARIABLE"`
	OtpEnv     string   `help:"Environment variable with the one-time password of the credential." name:"otp-env" placeholder:"VARIABLE"`
	Chain      string   `help:"PEM file with certificates that key file, token or service lack: issuers, and for --pkcs11 the key's own." placeholder:"PEM"`
}

// open returns the key, checked to be fit for signing, and what to call when done with it.
func (k keyFlags) open(ctx context.Context) (signer.Identity, func(), error) {
	done := func() {}
	chain, err := k.chain()
	if err != nil {
		return signer.Identity{}, done, err
	}
	var id signer.Identity
	switch {
	case k.PKCS11 != "":
		return k.openToken(chain)
	case k.CSC != "":
		id, err = k.openService(ctx)
	default:
		id, err = k.openFile()
	}
	if err != nil {
		return id, done, err
	}
	id.Chain = signer.OrderChain(id.Certificate, append(chain, id.Chain...))
	return id, done, nil
}

func (k keyFlags) chain() ([]*x509.Certificate, error) {
	if k.Chain == "" {
		return nil, nil
	}
	return readCertificates(k.Chain)
}

func (k keyFlags) openFile() (signer.Identity, error) {
	if k.PEM != "" {
		return softkey.Load(k.PEM, nil, time.Now)
	}
	passphrase, err := joinedSecret("--pass-env", k.PassEnv)
	if err != nil {
		return signer.Identity{}, err
	}
	return softkey.Load(k.P12, passphrase, time.Now)
}

func (k keyFlags) openToken(chain []*x509.Certificate) (signer.Identity, func(), error) {
	cfg, err := k.tokenConfig()
	if err != nil {
		return signer.Identity{}, func() {}, err
	}
	cfg.Chain, cfg.MaxSessions = chain, 1
	for _, c := range chain {
		if !c.IsCA {
			cfg.Certificate = c
			break
		}
	}
	token, err := pkcs11.Open(cfg)
	if err != nil {
		return signer.Identity{}, func() {}, err
	}
	return token.Identity(), func() { _ = token.Close() }, nil
}

func (k keyFlags) tokenConfig() (pkcs11.Config, error) {
	uri, err := pkcs11.ParseURI(k.PKCS11)
	if err != nil {
		return pkcs11.Config{}, err
	}
	cfg := pkcs11.Config{URI: uri, Clock: time.Now}
	if k.PinEnv != "" || uri.PINFile == "" {
		cfg.PIN, err = secretFrom("--pin-env", k.PinEnv)
	}
	return cfg, err
}

func (k keyFlags) openService(ctx context.Context) (signer.Identity, error) {
	client, err := k.service()
	if err != nil {
		return signer.Identity{}, err
	}
	if k.Credential == "" {
		if k.Credential, err = onlyCredential(ctx, client); err != nil {
			return signer.Identity{}, err
		}
	}
	return client.Open(ctx, k.Credential)
}

func (k keyFlags) service() (*csc.Client, error) {
	token, err := secretFrom("--token-env", k.TokenEnv)
	if err != nil {
		return nil, err
	}
	return csc.New(csc.Config{
		BaseURL: k.CSC, Clock: time.Now,
		Token:     func(context.Context) (csc.Secret, error) { return csc.Secret(token), nil },
		Authorize: k.factors,
	})
}

// factors gives a credential what it asks for: PIN and one-time password.
func (k keyFlags) factors(_ context.Context, c csc.Credential, _ int) ([]csc.Factor, error) {
	var factors []csc.Factor
	for _, id := range c.Factors {
		flag, variable := "--pin-env", k.PinEnv
		if id == "OTP" {
			flag, variable = "--otp-env", k.OtpEnv
		}
		value, err := secretFrom(flag, variable)
		if err != nil {
			return nil, err
		}
		factors = append(factors, csc.Factor{ID: id, Value: string(value)})
	}
	return factors, nil
}

func onlyCredential(ctx context.Context, client *csc.Client) (string, error) {
	ids, err := client.Credentials(ctx)
	if err != nil {
		return "", err
	}
	if len(ids) != 1 {
		return "", certcopy.Errorf(certcopy.Invalid, "", nil, certcopy.Msg(
			fmt.Sprintf("Dịch vụ có %d chứng thư. Hãy chọn một bằng --credential: %q.", len(ids), ids),
			fmt.Sprintf("The service has %d credentials. Choose one with --credential: %q.", len(ids), ids)))
	}
	return ids[0], nil
}

// secretFrom reads a secret from the environment variable that a flag names.
func secretFrom(flag, variable string) ([]byte, error) {
	if variable == "" {
		return nil, certcopy.Errorf(certcopy.Invalid, flag, nil, certcopy.Msg(
			"Cần một bí mật. Hãy đặt nó vào một biến môi trường và nêu tên biến bằng "+flag+".",
			"A secret is needed. Put it into an environment variable and name that with "+flag+"."))
	}
	value := os.Getenv(variable)
	if value == "" {
		return nil, certcopy.Errorf(certcopy.Invalid, flag, nil, certcopy.Msg(
			"Biến môi trường "+variable+" chưa được đặt hoặc rỗng.", "The environment variable "+variable+" is not set, or empty."))
	}
	return []byte(value), nil
}

// joinedSecret reads a secret whose parts are in several environment variables.
func joinedSecret(flag string, variables []string) ([]byte, error) {
	if len(variables) == 0 {
		variables = []string{""}
	}
	var whole []byte
	for _, v := range variables {
		part, err := secretFrom(flag, v)
		if err != nil {
			return nil, err
		}
		whole = append(whole, part...)
	}
	return whole, nil
}
