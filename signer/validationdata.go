package signer

import (
	"bytes"
	"slices"
)

// ValidationData is what a validator needs besides the signatures, each element in DER:
// certificates, OCSPResponse and CertificateList.
type ValidationData struct {
	Certs, OCSPs, CRLs [][]byte
	// VRI relates data to a signature, by its key (pades.VRIKey). Everything in it is in the
	// document's store too.
	VRI map[string]ValidationData
}

// Empty reports whether there is nothing to add.
func (v *ValidationData) Empty() bool {
	return len(v.Certs)+len(v.OCSPs)+len(v.CRLs)+len(v.VRI) == 0
}

// Merge adds what other has and v has not. VRI is not merged: it belongs to one file.
func (v *ValidationData) Merge(other ValidationData) {
	AddOnce(&v.Certs, other.Certs...)
	AddOnce(&v.OCSPs, other.OCSPs...)
	AddOnce(&v.CRLs, other.CRLs...)
}

// AddOnce appends to a list of DER what is not in it.
func AddOnce(list *[][]byte, more ...[]byte) {
	for _, der := range more {
		if !slices.ContainsFunc(*list, func(old []byte) bool { return bytes.Equal(old, der) }) {
			*list = append(*list, der)
		}
	}
}
