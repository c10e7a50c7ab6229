package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Secret is a secret access key. It does not print.
type Secret string

// String, GoString, LogValue and MarshalText hide it.
func (Secret) String() string               { return "(secret)" }
func (Secret) GoString() string             { return "(secret)" }
func (Secret) LogValue() slog.Value         { return slog.StringValue("(secret)") }
func (Secret) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// Keys are what requests are signed with.
type Keys struct {
	ID           string
	Secret       Secret
	SessionToken Secret // of temporary keys; else empty
}

// Credentials are asked for keys before every request, so that they can change while the
// program runs. They are safe for concurrent use.
type Credentials interface{ Keys() (Keys, error) }

// Keys returns the keys themselves: fixed Credentials.
func (k Keys) Keys() (Keys, error) {
	if k.ID == "" || k.Secret == "" {
		return Keys{}, errors.New("s3: access key or secret is empty")
	}
	return k, nil
}

// FromEnvironment are the keys in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN, which cannot change while the program runs.
func FromEnvironment() Credentials {
	return Keys{os.Getenv(idName), Secret(os.Getenv(secretName)), Secret(os.Getenv(tokenName))}
}

const (
	idName, secretName, tokenName = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN" // names
	maxFileBytes                  = 16 << 10
)

// FromFile are the keys in a file of lines NAME=VALUE: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY
// and AWS_SESSION_TOKEN, in any case, as systemd and the AWS tools write them (one section at
// most). The file is read again whenever it has changed; while it cannot be read, or is half
// written, the last keys stay. Replace it by renaming a new one over it.
func FromFile(path string) Credentials { return &file{path: path} }

type file struct {
	path string
	mu   sync.Mutex
	read fs.FileInfo // when keys were read; guarded by mu
	keys Keys        // guarded by mu
}

// Keys returns the file's keys.
func (f *file) Keys() (Keys, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	info, err := os.Stat(f.path)
	if err == nil && !same(f.read, info) {
		var keys Keys
		if keys, err = readKeys(f.path); err == nil {
			f.read, f.keys = info, keys
		}
	}
	if err != nil && f.read == nil {
		return Keys{}, fmt.Errorf("s3: credentials: %w", err)
	}
	return f.keys, nil
}

func same(a, b fs.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

func readKeys(path string) (Keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Keys{}, err
	}
	if info.Size() > maxFileBytes {
		return Keys{}, fmt.Errorf("%s: %d bytes", path, info.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Keys{}, err
	}
	return parseKeys(string(b))
}

// parseKeys never puts a value into an error.
func parseKeys(text string) (Keys, error) {
	var k Keys
	sections := 0
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			if sections++; sections > 1 || k != (Keys{}) {
				return Keys{}, fmt.Errorf("line %d: a second section", n+1)
			}
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return Keys{}, fmt.Errorf("line %d: not NAME=VALUE", n+1)
		}
		value = strings.Trim(strings.TrimSpace(value), `"`)
		switch strings.ToUpper(strings.TrimSpace(name)) {
		case idName:
			k.ID = value
		case secretName:
			k.Secret = Secret(value)
		case tokenName:
			k.SessionToken = Secret(value)
		}
	}
	return k.Keys()
}

// provider hands our credentials to the driver, which would keep them for ever if they did not
// always look expired.
type provider struct{ Credentials }

func (c Config) provider() *credentials.Credentials { return credentials.New(provider{c.Credentials}) }

// IsExpired makes the driver ask each time.
func (provider) IsExpired() bool { return true }

// RetrieveWithCredContext returns the keys.
func (p provider) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	k, err := p.Keys()
	return credentials.Value{
		AccessKeyID: k.ID, SecretAccessKey: string(k.Secret), SessionToken: string(k.SessionToken), SignerType: credentials.SignatureV4,
	}, err
}

// Retrieve returns the keys.
func (p provider) Retrieve() (credentials.Value, error) { return p.RetrieveWithCredContext(nil) }
