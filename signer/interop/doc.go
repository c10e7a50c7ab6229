// Package interop holds no code, only tests: what this project signs is judged by programs
// that share no line with it (poppler, OpenSSL, qpdf, pyHanko, EU DSS, PDFBox, veraPDF), what
// it signed is signed again by pyHanko and EU DSS, and what they signed is signed again here.
//
// By default every kind of file is judged at two levels, with keys that take turns; with
// SAOY_INTEROP=1 every combination of file, key and level is. The results are docs/interop.md, which is rewritten
// with SAOY_WRITE_DOCS=1. scripts/tools installs the programs; one that is missing is a
// skipped test that names it.
package interop
