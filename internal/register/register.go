// Package register is the form of the public log: its leaves, its signed checkpoints and the
// proofs that a leaf is in it. docs/register.md is its specification, with test vectors and
// a way to check a proof with nothing but a shell.
//
// The tree is that of RFC 6962 §2.1, the checkpoints are those of c2sp.org/tlog-checkpoint
// under Ed25519, the proofs those of c2sp.org/tlog-proof. The package is pure: it reads
// stored hashes through tlog.HashReader and knows neither a database nor a clock.
package register

import (
	"errors"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
)

// Errors to test for.
var (
	// ErrLeaf: the bytes are not a leaf, or the facts cannot be one.
	ErrLeaf = errors.New("not a leaf v1")
	// ErrCheckpoint: the note is not a checkpoint signed by the log's key.
	ErrCheckpoint = errors.New("not a checkpoint of this log")
	// ErrInconsistent: the tree is not an extension of what was signed before; nothing was
	// signed. Somebody must find out whether the database or the checkpoint was put back.
	ErrInconsistent = errors.New("the log is not an extension of its last checkpoint")
	// ErrProof: the proof does not show what it should.
	ErrProof = errors.New("the proof does not hold")
	// ErrNoKey: this process verifies checkpoints and signs none.
	ErrNoKey = errors.New("no key of the log here")
	// ErrOrigin: the text cannot be the origin line of a log.
	ErrOrigin = errors.New("not an origin")
)

// LeafHash returns the hash under which a leaf stands in the tree (RFC 6962 §2.1).
func LeafHash(leaf []byte) certcopy.Digest { return certcopy.Digest(tlog.RecordHash(leaf)) }

// HashReader makes what the tree's functions read from out of a function that returns stored
// hashes by index, such as storage.Log.ReadHashes with its context bound.
func HashReader(read func(indexes []int64) ([]certcopy.Digest, error)) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		digests, err := read(indexes)
		if err != nil {
			return nil, err
		}
		hashes := make([]tlog.Hash, len(digests))
		for i, d := range digests {
			hashes[i] = tlog.Hash(d)
		}
		return hashes, nil
	})
}
