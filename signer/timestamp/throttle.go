package timestamp

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/saoy/saoy/signer"
)

// How long an authority that throttles is left alone: what it asks for, within bounds.
const (
	defaultThrottle = time.Minute
	maxThrottle     = time.Hour
)

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
