//go:build !cgo

package pkcs11

import "github.com/saoy/saoy/signer"

// Token is an open token.
type Token struct{}

// Open returns ErrNoCgo.
func Open(Config) (*Token, error) { return nil, ErrNoCgo }

// OpenKey returns ErrNoCgo.
func OpenKey(Config) (*Token, signer.Key, error) { return nil, nil, ErrNoCgo }

// Identity is never reached: there is no open token.
func (*Token) Identity() signer.Identity { return signer.Identity{} }

// Close does nothing.
func (*Token) Close() error { return nil }
