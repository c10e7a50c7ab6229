//go:build cgo

package pkcs11

import (
	"errors"
	"sync"
	"time"

	"github.com/miekg/pkcs11"
)

// errAbsent: the module does not see the token.
var errAbsent = errors.New("the token is not present")

// shared is what all Tokens of a module share: a library has one state in a process, whoever
// loaded it.
type shared struct {
	gate sync.RWMutex // held to read during calls, to write while the module is restarted
	// epoch counts restarts, after which no session and no handle of before means anything; guarded by gate.
	epoch uint64
	last  time.Time // guarded by gate; the last restart
}

// modules are the libraries of this process, by path. They are global by their nature.
var modules sync.Map

func sharedBy(path string) *shared {
	s, _ := modules.LoadOrStore(path, new(shared))
	return s.(*shared)
}

// restartPause spares the other tokens of a module while one stays away.
const restartPause = 2 * time.Second

// restart makes the module look for its tokens anew: many find one that was away, or a device
// behind a network that broke, only then. Other tokens log in again. It reports false, and has
// done nothing, while anybody uses the module or if it was just restarted; the caller tries
// again another time.
func (t *Token) restart() bool {
	if !t.shared.gate.TryLock() {
		return false
	}
	defer t.shared.gate.Unlock()
	now := t.cfg.Clock()
	if d := now.Sub(t.shared.last); d >= 0 && d < restartPause {
		return false
	}
	t.shared.last = now
	t.shared.epoch++
	if err := t.module.Finalize(); err != nil && !is(err, pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED) {
		return false
	}
	return t.module.Initialize() == nil
}
