package trust

import "sync"

// memo remembers which signatures were found to be right, so that the questions about one
// file or list, which share most of their certificates, verify each once. It is safe for concurrent use;
// nil remembers nothing.
type memo struct {
	mu   sync.Mutex
	good map[signed]bool // guarded by mu
}

// signed is something signed and the certificate of who signed it, by address: what is parsed
// twice is verified twice.
type signed struct{ what, by any }

// maxMemo bounds what is remembered.
const maxMemo = 10000

// verify calls a verification, unless it is known to succeed.
func (m *memo) verify(what, by any, verification func() error) error {
	if m.knows(signed{what, by}) {
		return nil
	}
	err := verification()
	if err == nil && m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.good == nil || len(m.good) >= maxMemo {
			m.good = map[signed]bool{}
		}
		m.good[signed{what, by}] = true
	}
	return err
}

func (m *memo) knows(s signed) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.good[s]
}
