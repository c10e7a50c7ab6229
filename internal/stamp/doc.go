// Package stamp draws the page people see: it turns the clean document of a copy into the
// PDF/A-2b file that will be signed.
//
// The page images are carried over byte for byte. The statutory statement, the images of
// signature and seal, a QR code and the conversion mark are drawn as real, tagged text on the
// last page where there is room, else on a page of their own; both signature fields are put
// in place, empty, over the images, so that signing only fills them. Stamping is a pure
// function: no clock, no randomness, no network, the same input gives the same bytes.
package stamp
