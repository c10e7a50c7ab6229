package pades

import (
	"errors"
	"fmt"
)

// Errors to be tested with errors.Is. Those of reading the base are pdf.ErrDamaged,
// pdf.ErrEncrypted and pdf.ErrLimit.
var (
	// ErrForbidden: an earlier signature of the file does not permit this (ISO 32000-2
	// §12.8.2.2, §12.8.2.4).
	ErrForbidden = errors.New("an earlier signature forbids this")
	// ErrField: the field named cannot be signed: it is no signature field, is signed already,
	// or its seed value asks for what is not done here.
	ErrField = errors.New("field cannot be signed")
	// ErrTooLarge: the CMS does not fit the place reserved; a *TooLargeError says how much.
	ErrTooLarge = errors.New("signature does not fit the place reserved")
	// ErrBaseChanged: the base is not the file that was prepared.
	ErrBaseChanged = errors.New("the base file is not the one that was prepared")
	// ErrPrepared: the state between the phases is damaged.
	ErrPrepared = errors.New("prepared state is damaged")
	// ErrSignature: the CMS is not a valid signature of the prepared bytes by the intended
	// certificate.
	ErrSignature = errors.New("not a signature of the prepared file")
	// ErrLevel: the level asked for cannot be reached with this file or these means.
	ErrLevel = errors.New("level cannot be reached")
	// ErrOptions: options contradict each other or the file.
	ErrOptions = errors.New("invalid options")
)

// TooLargeError tells how many bytes a CMS needs and how many were reserved.
type TooLargeError struct{ Need, Reserved int }

// Error names both sizes.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%v: it needs %d bytes, %d are reserved", ErrTooLarge, e.Need, e.Reserved)
}

// Is makes every TooLargeError an ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }
