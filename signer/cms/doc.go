// Package cms makes, reads and verifies the signatures that lie in PDF files and time-stamps:
// Cryptographic Message Syntax SignedData (RFC 5652) with the ESS signing-certificate
// attribute (RFC 5035), as CAdES (ETSI EN 319 122-1) and PAdES (ETSI EN 319 142-1 §6.3)
// profile it.
//
// Making is split where the key is used, so that the key may be anywhere: SignedAttributes
// gives the bytes to be signed, Build puts attributes and signature value together. Sign
// does both for a key at hand. What is made is DER throughout.
//
// Reading accepts BER, because other producers write it, and reports what was not DER.
// Nothing here opens the network, reads a clock or decides whom to trust.
package cms
