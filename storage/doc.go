// Package storage holds the two contracts under which Saoy keeps things: Blobs for bytes
// and Ledger for facts, with their errors. Implementations are in the folders below; the
// conformance suites of storagetest are the contracts' other half.
package storage
