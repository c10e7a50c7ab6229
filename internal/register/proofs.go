package register

import (
	"bytes"
	"fmt"
)

// maxProofs bounds how many proofs one file holds: a copy has few leaves.
const maxProofs = 64

// MarshalProofs returns proofs as one file, one after the other: all that the log says of a
// copy, its issue first. Who reads only the first proof of it reads that.
func MarshalProofs(proofs []Proof) []byte {
	var b bytes.Buffer
	for _, p := range proofs {
		b.Write(p.Marshal())
	}
	return b.Bytes()
}

// ParseProofs reads a file of one proof or several; it verifies nothing, and is as strict as
// ParseProof. Errors wrap ErrProof.
func ParseProofs(b []byte) ([]Proof, error) {
	if len(b) > maxProofs*maxProofBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrProof, len(b))
	}
	var proofs []Proof
	for next := []byte("\n" + proofHeader + "\n"); len(b) > 0; {
		end := len(b)
		if i := bytes.Index(b, next); i >= 0 {
			end = i + 1
		}
		p, err := ParseProof(b[:end])
		if err != nil {
			return nil, err
		}
		if proofs = append(proofs, p); len(proofs) > maxProofs {
			return nil, fmt.Errorf("%w: more than %d proofs", ErrProof, maxProofs)
		}
		b = b[end:]
	}
	if len(proofs) == 0 {
		return nil, fmt.Errorf("%w: an empty file", ErrProof)
	}
	return proofs, nil
}
