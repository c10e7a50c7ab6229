// Package certcopy is the vocabulary of Saoy: the types that every other package shares.
//
// A Request is one visit of one requester; an Original is a paper presented; a Copy is
// what is issued. One original gives one copy, one certificate number, one PDF, one
// verification code and one leaf of the log. The package imports the standard library
// only, holds no state, and never reads the clock.
package certcopy
