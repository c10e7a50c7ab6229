package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

// anchorName is how reports call the demonstration's root.
const anchorName = "Saoy trình diễn (KHÔNG CÓ GIÁ TRỊ PHÁP LÝ)"

// examiner validates a finished copy as a receiver without network would. It implements
// issue.Examiner and fsck.Examiner.
type examiner struct{ anchors *trust.Store }

// Examine returns the lowest level of the signatures, and an error unless the file passes and
// bears the certifier's signature and then the agency's.
func (e examiner) Examine(ctx context.Context, file []byte, at time.Time) (string, error) {
	report, err := validation.File(ctx, bytes.NewReader(file), int64(len(file)), validation.Options{At: at, Anchors: e.anchors})
	if err != nil {
		return "", err
	}
	level := lowest(report.Signatures)
	if report.Indication != validation.TotalPassed {
		return level, fmt.Errorf("%s %s, integrity %s, issuer %s", report.Indication, report.SubIndication, report.Integrity, report.Issuer)
	}
	s := report.Signatures
	if len(s) < 2 || s[0].Field != stamp.CertifierField || s[1].Field != stamp.AgencyField {
		return level, fmt.Errorf("the file does not bear both signatures in order")
	}
	return level, nil
}

// lowest returns the lowest level among the signatures, time-stamps left out.
func lowest(signatures []validation.Signature) string {
	order := []validation.Level{validation.LevelNone, validation.LevelB, validation.LevelT, validation.LevelLT, validation.LevelLTA}
	for _, level := range order {
		for _, s := range signatures {
			if s.Kind == validation.KindSignature && s.Level == level {
				return string(level)
			}
		}
	}
	return string(validation.LevelNone)
}
