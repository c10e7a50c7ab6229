package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/trust"
)

// exitLower is the exit status of sign and extend when OUT is there, at a lower level than
// was asked for (--accept-lower).
const exitLower = 3

// certificateFaults are what no lower level makes good.
var certificateFaults = []error{trust.ErrRevoked, trust.ErrNoPath, trust.ErrExpired, trust.ErrNotYetValid, trust.ErrKeyUsage, trust.ErrWeakKey, trust.ErrConstraints}

// policy is what becomes of a level that is not reached; nil: an error.
func (f fileFlags) policy() func(*pades.Shortfall) error {
	if !f.AcceptLower {
		return nil
	}
	return acceptFailingServices
}

func acceptFailingServices(s *pades.Shortfall) error {
	for _, fault := range certificateFaults {
		if errors.Is(s.Cause, fault) {
			return s.Cause
		}
	}
	return nil
}

// shortfall is the record of it in JSON.
type shortfall struct {
	Wanted string `json:"wanted"`
	Reason string `json:"reason"`
}

func recordOf(s *pades.Shortfall) *shortfall {
	if s == nil {
		return nil
	}
	return &shortfall{Wanted: s.Wanted.String(), Reason: s.Cause.Error()}
}

// lower tells a person of it and returns the exit status; nil if there is none.
func (s *shortfall) lower(out, reached string) error {
	if s == nil {
		return nil
	}
	fmt.Fprintln(os.Stderr, report(certcopy.Errorf(certcopy.Unavailable, out, errors.New(s.Reason), certcopy.Msg(
		"Đã ghi tệp ở mức "+reached+", chưa đạt "+s.Wanted+". Hãy nâng mức sau bằng saoy extend.",
		"The file was written at level "+reached+", not "+s.Wanted+". Lift it later with saoy extend."))))
	return &exitError{status: exitLower}
}
