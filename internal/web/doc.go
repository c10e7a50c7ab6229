// Package web is the HTTP that the office's site, the public site and the API share: the
// middleware every request passes, the layout and look of every page, the texts in
// Vietnamese and English, the assets, and the one mapping from errors to status codes.
//
// It knows nothing of copies, keys or stores. It writes nothing to disk, sends nothing to
// the network, and takes time and randomness from its Config.
package web
