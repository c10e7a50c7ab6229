// Package validation tells what a signed PDF file is worth: whether the bytes that were
// signed are still there, whether anything is shown that was not signed, who signed, when,
// and on whose authority (ETSI EN 319 102-1; ETSI EN 319 142-1; ISO 32000-2 §12.8).
//
// File is the one entry. It answers every file with a Report; what is wrong with a file is
// a verdict, never an error. The law of the package is that nothing passes that was
// changed: where two readers of PDF could disagree about what a file is, the file is not
// intact.
//
// A file is looked at in four independent ways, and all must agree: the byte ranges of each
// signature against the bytes of the file; the chain of revisions against a scan of the
// file from its front; the objects of each later revision against those of the signed one;
// and the CMS with its certificates and time-stamps against the trust anchors given.
//
// Nothing is loaded whole, nothing is repaired, and a file cannot make the validator open a
// network connection the caller did not allow.
package validation
