// Package softkey keeps signing keys in encrypted files: PKCS #12 (RFC 7292), as authorities
// deliver them, and PEM for keys of other programs.
//
// A key from here is in this process's memory while it is in use. Where that is not
// acceptable, use an HSM (package pkcs11) or a remote signing service (package csc).
package softkey
