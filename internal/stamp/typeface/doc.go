// Package typeface reads the TrueType fonts that a certified copy is printed with and cuts
// them down to the glyphs one document uses.
//
// It holds Tinos in three styles, metric-compatible with Times New Roman, already reduced by
// the generator to Latin, Vietnamese and punctuation and freed of hinting programs. Licence:
// fonts/OFL.txt. A character without a glyph is an error that names it, never a blank. The
// package is pure: no files, no clock, and the same glyphs always give the same bytes.
package typeface

//go:generate go run ./generate -from /usr/share/fonts/truetype/croscore -to fonts
