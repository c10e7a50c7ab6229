// Package pdf is PDF syntax: an object model, a lazy reader, and two writers, one for a
// whole file and one for an incremental update (ISO 32000-2 §7).
//
// The reader never loads the file. It follows the chain of cross-reference sections and
// reads each object at its offset when asked, so memory does not grow with the file, and
// it is strict: a file that other programs would have to repair is refused, because two
// programs may repair it differently and then show different pages for one signature.
//
// The writers are deterministic: the same objects give the same bytes. They read no clock
// and no randomness; identifiers and dates come from the caller.
package pdf
