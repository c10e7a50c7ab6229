// Package pades signs PDF files as ETSI EN 319 142-1 (PAdES) profiles it: approval and
// certification signatures, signature and document time-stamps, validation data.
//
// Signing has two phases, so that the key may be anywhere. Prepare appends a revision with
// an empty place for the signature and gives the digest to be signed; Embed checks what came
// back and fills the place. Between the two there is only a Prepared, which is short, holds
// no secret and can be stored as JSON. Sign does both for a key at hand.
//
// A base file is read, never written: the output is the base, byte for byte, followed by an
// incremental update. Files that are encrypted, or that other programs would have to repair,
// are refused; so is everything that an earlier signature of the file forbids. Files are
// streamed: memory does not grow with them.
package pades
