package certcopy

import (
	"errors"
	"fmt"
)

// Code is the fate of a failed operation as every layer understands it.
type Code string

// The codes that cross layers. An error without a code is internal: its detail goes to the
// log, a reference number to the person.
const (
	// Invalid: the input is wrong; tell the user what and how to put it right.
	Invalid Code = "invalid"
	// NotFound: there is no such thing, or the asker may not know of it.
	NotFound Code = "not_found"
	// Forbidden: the asker is known and may not do this.
	Forbidden Code = "forbidden"
	// Conflict: the thing has changed since the asker looked; show it again.
	Conflict Code = "conflict"
	// Unavailable: it may work later; try again.
	Unavailable Code = "unavailable"
	// OutcomeUnknown: a write may or may not have happened; read back, never retry blindly.
	OutcomeUnknown Code = "outcome_unknown"
	// Internal: a defect or a damaged store.
	Internal Code = "internal"
)

// Message is one sentence or two in both languages: what happened and what to do next.
type Message struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// Msg makes a Message.
func Msg(vi, en string) Message { return Message{VI: vi, EN: en} }

// Error is an error a person may be shown.
type Error struct {
	Code    Code
	Message Message
	// Subject names the file, field or place the error is about; may be empty. It is never a
	// secret and never personal data.
	Subject string
	// Err is the cause, for the log and for errors.Is; may be nil.
	Err error
}

// Errorf makes an Error with a cause; err may be nil.
func Errorf(code Code, subject string, err error, m Message) *Error {
	return &Error{Code: code, Subject: subject, Err: err, Message: m}
}

// Error returns the English message, prefixed by the subject and followed by the cause.
func (e *Error) Error() string {
	s := e.Message.EN
	if s == "" {
		s = string(e.Code)
	}
	if e.Subject != "" {
		s = e.Subject + ": " + s
	}
	if e.Err != nil {
		s = fmt.Sprintf("%s (%v)", s, e.Err)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first Error in err's chain; Internal if there is none and
// err is not nil, "" if err is nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// MessageOf returns what to show a person for err: the message of the first Error in its
// chain, or a general one that reveals nothing.
func MessageOf(err error) Message {
	var e *Error
	if errors.As(err, &e) && e.Message != (Message{}) {
		return e.Message
	}
	return Msg("Có lỗi bên trong hệ thống; việc của ông/bà chưa bị mất. Hãy thử lại, nếu vẫn lỗi thì báo quản trị viên kèm mã tham chiếu.",
		"An internal error occurred; nothing of yours is lost. Try again; if it persists, tell the administrator the reference number.")
}
