// Package csc signs with keys of remote signing services over the Cloud Signature Consortium
// API, version 2 (CSC API v2.0.0.2): info, credentials/list, credentials/info,
// credentials/authorize and signatures/signHash.
//
// The service holds the key; the official authorises each signature, or each batch, with a PIN
// or one-time password. Only digests leave this machine. Every signature that comes back is
// verified under the credential's certificate before it is used.
package csc
