package pades

import (
	"context"
	"fmt"
)

// Shortfall is a level that was not reached, and why. It is the policy of the caller whether
// that is an error (see Means.OnShortfall and ExtendOptions.OnShortfall).
type Shortfall struct {
	Wanted  Level
	Reached Level // at least
	Cause   error // of the time-stamper or the collector
}

// Error names both levels and the cause.
func (s *Shortfall) Error() string {
	return fmt.Sprintf("%s instead of %s: %v", s.Reached, s.Wanted, s.Cause)
}

// Unwrap makes it ErrLevel and its cause.
func (s *Shortfall) Unwrap() []error { return []error{ErrLevel, s.Cause} }

// AcceptLower is the policy that takes any lower level; the shortfall is told to the caller
// of Sign in the Result.
func AcceptLower(*Shortfall) error { return nil }

// ask returns nil if the policy accepts a lower level, else the error to be returned. A
// context that ended is not asked about: who gave up wants no file.
func ask(ctx context.Context, policy func(*Shortfall) error, s *Shortfall) error {
	if policy == nil || ctx.Err() != nil {
		return s.Cause
	}
	return policy(s)
}

// outsideFault marks an error of the time-stamper or the collector.
type outsideFault struct{ cause error }

func (f *outsideFault) Error() string { return f.cause.Error() }
func (f *outsideFault) Unwrap() error { return f.cause }
