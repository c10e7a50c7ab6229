// Package csc signs with keys of remote signing services over the Cloud Signature Consortium
// API, version 2 (CSC API v2.0.0.2): info, credentials/list, credentials/info,
// credentials/authorize, credentials/authorizeCheck, credentials/getChallenge, signatures/signHash
// and signatures/signPolling; and with OAuth 2.0 as its §8.4 has it.
//
// The service holds the key; the official authorises each signature, or each batch, with a PIN
// or one-time password, on another device, or on the service's page. Only digests leave this
// machine, and every authorisation is for exactly these. Every signature that comes back is verified
// under the credential's certificate before it is used.
package csc
