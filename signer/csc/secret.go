package csc

import (
	"errors"
	"log/slog"
)

// Secret is a token, a client's secret or a code: whoever has it can act. It does not print,
// log or marshal itself; string(s) is its value.
type Secret string

const hidden = "[secret]"

// String hides the value.
func (Secret) String() string { return hidden }

// GoString hides the value.
func (Secret) GoString() string { return hidden }

// LogValue hides the value.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText refuses.
func (Secret) MarshalText() ([]byte, error) {
	return nil, errors.New("a secret is not to be written down")
}
