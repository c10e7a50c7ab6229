// Package pkcs11 uses keys in hardware security modules and tokens through PKCS #11 (OASIS
// PKCS #11 v2.40), named by URIs (RFC 7512).
//
// A key never leaves its token. Sessions are pooled; when the token or its session is lost, the
// package logs in again and tries once more. A wrong PIN is never tried twice, because
// tokens lock themselves.
//
// The module is a C library, so this package needs cgo; built without it, Open returns ErrNoCgo.
package pkcs11
