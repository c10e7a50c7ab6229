//go:build race

package validation

// raceEnabled: the race detector makes all slower by some factor.
const raceEnabled = true
