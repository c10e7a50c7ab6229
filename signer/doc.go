// Package signer holds the contracts of the signing library: what a key and a time-stamp
// authority must do. The folders below sign, extend and validate PDF files by ETSI EN 319
// 142 (PAdES); none of them knows anything of the service around them.
package signer
