package pdf

import (
	"errors"
	"fmt"
)

// Errors of the reader, to be tested with errors.Is.
var (
	// ErrDamaged: the file breaks the syntax; the error is a *DamageError with the place.
	ErrDamaged = errors.New("damaged PDF")
	// ErrEncrypted: the file is encrypted; nothing in it can be signed or compared.
	ErrEncrypted = errors.New("encrypted PDF")
	// ErrLimit: the file asks for more than the Limits allow.
	ErrLimit = errors.New("limit exceeded")
	// ErrFilter: a stream is stored with a filter that is not decoded here (images).
	ErrFilter = errors.New("filter not decoded")
)

// DamageError says where a file breaks the syntax and how.
type DamageError struct {
	Offset int64  // in the file; in the decoded object stream for a compressed object
	Object Ref    // the object concerned; zero if none
	What   string // what was found
}

// Error returns the place and the finding.
func (e *DamageError) Error() string {
	if e.Object.IsZero() {
		return fmt.Sprintf("damaged PDF: offset %d: %s", e.Offset, e.What)
	}
	return fmt.Sprintf("damaged PDF: object %d %d, offset %d: %s", e.Object.Number, e.Object.Generation, e.Offset, e.What)
}

// Is makes every DamageError an ErrDamaged.
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }

func damaged(offset int64, ref Ref, format string, args ...any) error {
	return &DamageError{Offset: offset, Object: ref, What: fmt.Sprintf(format, args...)}
}
