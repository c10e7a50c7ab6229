package fsck

import (
	"context"
	"slices"
)

// Check runs a check. Where it finds something it runs a second one and keeps what both
// found: copies move on while they are looked at, and what was between two states in one run
// fits in the next.
func Check(ctx context.Context, checker func() *Checker) (Report, error) {
	first, err := checker().Run(ctx)
	if err != nil || len(first.Findings) == 0 {
		return first, err
	}
	second, err := checker().Run(ctx)
	if err != nil {
		return second, err
	}
	second.Findings = slices.DeleteFunc(second.Findings, func(f Finding) bool { return !slices.Contains(first.Findings, f) })
	return second, nil
}
