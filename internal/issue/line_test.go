package issue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
)

// fault is the way in which one external call of the flow fails.
type fault int

const (
	honest      fault = iota
	refused           // not done, and the caller knows
	lost              // not done, and the caller cannot know
	doneButLost       // done, and the caller cannot know
	slow              // no answer until the caller's time is over
	crashBefore       // the process ends before the call
	crashAfter        // the process ends after the call
)

var faults = []fault{refused, lost, doneButLost, slow, crashBefore, crashAfter}

func (f fault) String() string {
	return [...]string{"honest", "refused", "lost", "done but lost", "slow", "crash before", "crash after"}[f]
}

// line is the way from a flow to the world: every external call goes over it, is counted,
// and one of them meets a fault. The zero line is honest.
type line struct {
	fault fault
	at    int    // which of the calls that the fault makes sense for
	op    string // count calls of this operation only; empty: all

	mu      sync.Mutex
	counted int      // guarded by mu
	met     string   // guarded by mu; the call that met the fault
	calls   []string // guarded by mu
	expire  func()   // guarded by mu; ends the time of the step that runs
}

// crashed is the end of a process.
type crashed struct{ before string }

// same tells that a fault of a call that changes nothing is like another that the table has:
// a lost reply is like a refusal, and a crash is like one after the last change. Only a soak
// plays them all.
func (f fault) same(changes bool) bool {
	return !changes && f != refused && f != slow && (f != crashBefore || os.Getenv("SAOY_SOAK") == "")
}

// take counts a call and returns the fault it meets.
func (l *line) take(op string, changes bool) fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, op)
	if l.fault == honest || l.op != "" && l.op != op || l.fault.same(changes) {
		return honest
	}
	l.counted++
	if l.counted-1 != l.at {
		return honest
	}
	l.met = op
	return l.fault
}

// metAt returns the call that met the fault; "" if none did.
func (l *line) metAt() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.met
}

// far is what the other end of a call says when it is down, and when its reply is lost.
type far struct{ down, unknown error }

// over makes a call.
func over[T any](ctx context.Context, l *line, op string, changes bool, f far, call func() (T, error)) (T, error) {
	var none T
	switch l.take(op, changes) {
	case refused:
		return none, fmt.Errorf("%s: %w (injected)", op, f.down)
	case lost:
		return none, fmt.Errorf("%s: %w (injected)", op, f.unknown)
	case doneButLost:
		if v, err := call(); err != nil {
			return v, err
		}
		return none, fmt.Errorf("%s: %w (injected)", op, f.unknown)
	case slow:
		l.expire()
		<-ctx.Done()
		return none, fmt.Errorf("%s: %w", op, ctx.Err())
	case crashBefore:
		panic(crashed{op})
	case crashAfter:
		if v, err := call(); err != nil {
			return v, err
		}
		panic(crashed{op})
	}
	return call()
}

// step runs f as one process does one step: with a time of its own, until it returns, or the
// process ends.
func (l *line) step(ctx context.Context, f func(context.Context) error) (err error, crash bool) { //nolint:revive // the error is the outcome
	timed := &stepTime{Context: ctx, over: make(chan struct{})}
	l.mu.Lock()
	l.expire = sync.OnceFunc(func() { close(timed.over) })
	l.mu.Unlock()
	defer func() {
		if p := recover(); p != nil {
			if _, ours := p.(crashed); !ours {
				panic(p)
			}
			crash = true
		}
	}()
	return f(timed), false
}

// stepTime is a deadline that passes when the test says so.
type stepTime struct {
	context.Context
	over chan struct{}
}

func (s *stepTime) Done() <-chan struct{} { return s.over }

func (s *stepTime) Err() error {
	select {
	case <-s.over:
		return context.DeadlineExceeded
	default:
		return s.Context.Err()
	}
}

var errConnection = errors.New("connection reset by peer")
