// Package signertest is a small public key infrastructure for tests and demonstrations: a
// root, an issuing authority, certificates for officials, agencies, time-stamping and OCSP,
// and one http.Handler that serves OCSP (RFC 6960), CRLs and certificates (RFC 5280) and
// time-stamps (RFC 3161), honestly or with a chosen fault.
//
// It also holds the suite that every signer.Key must pass.
//
// Certificates from here prove nothing about anybody: no person's identity was checked.
package signertest
