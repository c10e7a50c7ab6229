package signertest

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/saoy/saoy/signer"
)

// Open returns the PKI kept in a directory, and makes one there if the directory is absent
// or empty. What is issued and revoked later is written there as well. The root certificate is
// ca.pem; private keys are files of mode 0600.
//
// The directory is for one process at a time. A directory that an interrupted first start
// left incomplete is begun anew: ca.pem is written last, and before it nothing was trusted.
func Open(dir string, cfg Config) (*PKI, error) {
	p, err := newEmpty(cfg)
	if err != nil {
		return nil, err
	}
	p.dir = dir
	if _, err := os.Stat(filepath.Join(dir, "ca.pem")); errors.Is(err, fs.ErrNotExist) {
		return p, p.create()
	}
	if err := p.load(); err != nil {
		return nil, fmt.Errorf("demonstration authority in %s: %w", dir, err)
	}
	return p, nil
}

func (p *PKI) create() error {
	if err := p.createAuthorities(); err != nil {
		return err
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	for name, part := range p.parts() {
		if err := writePart(p.dir, name, *part.key, *part.certificate); err != nil {
			return err
		}
	}
	if err := p.store(); err != nil {
		return err
	}
	return writeFile(filepath.Join(p.dir, "ca.pem"), pemOf("CERTIFICATE", p.Root.Certificate.Raw), 0o644)
}

// part is where a key and its certificate belong in a PKI.
type part struct {
	key         *crypto.Signer
	certificate **x509.Certificate
}

func (p *PKI) parts() map[string]part {
	return map[string]part{
		"root":    {&p.Root.Private, &p.Root.Certificate},
		"issuing": {&p.Issuing.Private, &p.Issuing.Certificate},
		"tsa":     {&p.TSA.Private, &p.TSA.Certificate},
		"ocsp":    {&p.OCSP.Private, &p.OCSP.Certificate},
	}
}

func (p *PKI) load() error {
	p.Root, p.Issuing = &CA{file: "root"}, &CA{file: "issuing"}
	for name, part := range p.parts() {
		var err error
		if *part.key, *part.certificate, err = readPart(p.dir, name); err != nil {
			return err
		}
	}
	for _, leaf := range []*Leaf{&p.TSA, &p.OCSP} {
		leaf.Identity = signer.Identity{Key: KeyOf(leaf.Private), Certificate: leaf.Certificate, Chain: p.chain(p.Issuing)}
	}
	data, err := os.ReadFile(filepath.Join(p.dir, "status.json"))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, &p.status)
}

// store writes the status of issued certificates; a PKI in memory has nothing to write.
func (p *PKI) store() error {
	if p.dir == "" {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	data, err := json.MarshalIndent(p.status, "", " ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(p.dir, "status.json"), data, 0o600)
}

func writePart(dir, name string, key crypto.Signer, cert *x509.Certificate) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, name+".key"), pemOf("PRIVATE KEY", der), 0o600); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, name+".pem"), pemOf("CERTIFICATE", cert.Raw), 0o644)
}

func readPart(dir, name string) (crypto.Signer, *x509.Certificate, error) {
	der, err := readPEM(filepath.Join(dir, name+".key"), "PRIVATE KEY")
	if err != nil {
		return nil, nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, nil, err
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("%s.key: key of type %T cannot sign", name, parsed)
	}
	if der, err = readPEM(filepath.Join(dir, name+".pem"), "CERTIFICATE"); err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return key, cert, err
}

func readPEM(path, kind string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s holds no %s", filepath.Base(path), kind)
	}
	return block.Bytes, nil
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writeFile replaces a file whole: after a power cut it has the old bytes or the new ones.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
