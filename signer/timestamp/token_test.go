package timestamp

import (
	"testing"
	"time"
)

func TestParseGenTime(t *testing.T) {
	tests := map[string]string{
		"20261122234000Z":            "2026-11-22T23:40:00Z",
		"20261122234000.5Z":          "2026-11-22T23:40:00.5Z",
		"20261122234000.123456789Z":  "2026-11-22T23:40:00.123456789Z",
		"20261122234000":             "",
		"20261122234000+0700":        "",
		"20261122234000.Z":           "",
		"20261122234000.1234567890Z": "",
		"202611222340Z":              "",
		"20261322234000Z":            "",
		"20261122234000,5Z":          "",
		"":                           "",
	}
	for in, want := range tests {
		at, err := parseGenTime(in)
		if want == "" && err == nil {
			t.Errorf("%q was read as %v", in, at)
		}
		if want != "" && (err != nil || at.Format(time.RFC3339Nano) != want) {
			t.Errorf("%q: %v, %v", in, at, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	tests := map[string]time.Duration{
		"":                              defaultThrottle,
		"soon":                          defaultThrottle,
		"-5":                            defaultThrottle,
		"0":                             0,
		"30":                            30 * time.Second,
		"99999999999999":                maxThrottle,
		"1000000":                       maxThrottle,
		"Sun, 22 Nov 2026 08:10:00 GMT": 10 * time.Minute,
		"Sun, 22 Nov 2026 07:00:00 GMT": 0,
		"Sun, 22 Nov 2099 07:00:00 GMT": maxThrottle,
	}
	for in, want := range tests {
		if got := retryAfter(in, now); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}
