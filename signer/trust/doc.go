// Package trust decides whether a certificate is to be believed at a time: a path to a
// configured anchor (RFC 5280 §6), and evidence that nothing in it was revoked, by OCSP (RFC
// 6960) or CRL.
//
// Evidence comes from the file under validation or is fetched, within limits and never from
// places the operator did not allow. Time is always given, so that the past can be judged
// (ETSI EN 319 102-1 §5.6): nothing here reads a clock by itself.
package trust
