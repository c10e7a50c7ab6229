// Package timestamp asks time-stamping authorities for RFC 3161 time-stamps and verifies what
// they answer.
//
// An authority may take minutes, throttle, fail or lie. The client tries several in order,
// limits how many calls each has at a time, and returns a token only after everything in
// it was verified: imprint, nonce, policy, signature, the authority's certificate and its path
// to a root that is trusted for this authority.
package timestamp
