package storagetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/saoy/saoy/storage"
)

// Fault is the way in which a call to a store fails.
type Fault int

// The faults. Those that leave the caller in doubt return storage.ErrOutcomeUnknown, as a
// lost connection does, whether or not the write was done.
const (
	// Refused: nothing was done, and the caller knows: storage.ErrUnavailable.
	Refused Fault = iota + 1
	// Lost: nothing was done, and the caller cannot know.
	Lost
	// DoneButLost: the write was done, and the caller cannot know.
	DoneButLost
	// CrashBefore calls the crash hook in place of the write.
	CrashBefore
	// CrashAfter calls the crash hook after the write.
	CrashAfter
)

// Faults lists all faults, for tables of tests.
var Faults = []Fault{Refused, Lost, DoneButLost, CrashBefore, CrashAfter}

// String names the fault in the names of tests.
func (f Fault) String() string {
	switch f {
	case Refused:
		return "refused"
	case Lost:
		return "lost"
	case DoneButLost:
		return "done but lost"
	case CrashBefore:
		return "crash before"
	case CrashAfter:
		return "crash after"
	}
	return fmt.Sprintf("fault %d", int(f))
}

// Switch decides which calls of a faulty store fail. The zero Switch fails none. It is safe
// for concurrent use.
type Switch struct {
	// Crash stands for the end of the process: it must not return normally. It kills the
	// process, or panics with a value that the test recovers. It is set before use.
	Crash func(op string)

	mu    sync.Mutex
	armed map[string]*arming // by operation; guarded by mu
	calls []string           // guarded by mu
}

type arming struct {
	after int
	fault Fault
}

// Arm makes one call of an operation fail: the next one, or the one after so many more.
// Operations are named by their methods: "Create", "TakeNumber".
func (s *Switch) Arm(op string, after int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.armed == nil {
		s.armed = map[string]*arming{}
	}
	s.armed[op] = &arming{after, f}
}

// Armed reports whether a fault still waits for its call: the test did not reach it.
func (s *Switch) Armed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.armed) > 0
}

// Calls returns the operations called so far, in order: a first run without faults yields
// the list of what can fail.
func (s *Switch) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// take records a call and returns the fault it meets, or 0.
func (s *Switch) take(op string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, op)
	a := s.armed[op]
	if a == nil {
		return 0
	}
	if a.after > 0 {
		a.after--
		return 0
	}
	delete(s.armed, op)
	return a.fault
}

// write runs a call that changes the store.
func write[T any](s *Switch, op string, call func() (T, error)) (T, error) {
	var none T
	switch s.take(op) {
	case Refused:
		return none, fmt.Errorf("%s: %w (injected)", op, storage.ErrUnavailable)
	case Lost:
		return none, fmt.Errorf("%s: %w (injected)", op, storage.ErrOutcomeUnknown)
	case DoneButLost:
		if v, err := call(); err != nil {
			return v, err
		}
		return none, fmt.Errorf("%s: %w (injected)", op, storage.ErrOutcomeUnknown)
	case CrashBefore:
		s.crash(op)
	case CrashAfter:
		v, err := call()
		if err != nil {
			return v, err
		}
		s.crash(op)
	}
	return call()
}

// do is write for a call that returns an error only.
func do(s *Switch, op string, call func() error) error {
	_, err := write(s, op, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// read runs a call that changes nothing: every fault but a crash is a refusal.
func read[T any](s *Switch, op string, call func() (T, error)) (T, error) {
	var none T
	switch s.take(op) {
	case Refused, Lost, DoneButLost:
		return none, fmt.Errorf("%s: %w (injected)", op, storage.ErrUnavailable)
	case CrashBefore, CrashAfter:
		s.crash(op)
	}
	return call()
}

func (s *Switch) crash(op string) {
	s.Crash(op)
	panic("storagetest: the crash hook returned after " + op)
}
