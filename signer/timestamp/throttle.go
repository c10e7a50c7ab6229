package timestamp

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/saoy/saoy/signer"
)

// How long an authority that throttles is left alone: what it asks for, within bounds.
const (
	defaultThrottle = time.Minute
	maxThrottle     = time.Hour
)

// restTime is how long an authority that failed is asked only after the others, so that not
// every document waits for the same time-out.
const restTime = time.Minute

// admit counts a call, unless the authority wants none now.
func (a *authority) admit(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Before(a.until) {
		return &ThrottledError{Until: a.until}
	}
	if a.Requests == 0 {
		return nil
	}
	a.asked = slices.DeleteFunc(a.asked, func(at time.Time) bool { return !now.Before(at.Add(a.Per)) })
	if len(a.asked) >= a.Requests {
		return &ThrottledError{Until: a.asked[0].Add(a.Per)}
	}
	a.asked = append(a.asked, now)
	return nil
}

func (a *authority) rest(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rests = now.Add(restTime)
}

func (a *authority) resting(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Before(a.rests)
}

// inOrder puts authorities that rest behind the others.
func inOrder(all []*authority, now time.Time) []*authority {
	var fit, tired []*authority
	for _, a := range all {
		if a.resting(now) {
			tired = append(tired, a)
		} else {
			fit = append(fit, a)
		}
	}
	return append(fit, tired...)
}

// refused makes an error of an HTTP status, and remembers a request to come back later.
func (a *authority) refused(resp *http.Response, now time.Time) error {
	after := resp.Header.Get("Retry-After")
	if resp.StatusCode != http.StatusTooManyRequests && (resp.StatusCode != http.StatusServiceUnavailable || after == "") {
		return fmt.Errorf("%w: HTTP status %d", signer.ErrUnavailable, resp.StatusCode)
	}
	until := now.Add(retryAfter(after, now))
	a.mu.Lock()
	a.until = until
	a.mu.Unlock()
	return &ThrottledError{Until: until}
}

// retryAfter reads Retry-After in seconds or as a date (RFC 9110 §10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	d := defaultThrottle
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		d = min(time.Duration(min(seconds, 1<<20))*time.Second, maxThrottle)
	} else if at, err := http.ParseTime(value); err == nil {
		d = min(max(at.Sub(now), 0), maxThrottle)
	}
	return d
}

// pause waits, or returns early with signer.ErrUnavailable if the context ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", signer.ErrUnavailable, context.Cause(ctx))
	}
}
