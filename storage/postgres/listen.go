package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
)

// logTopic stands for the log among the copies' identifiers.
const logTopic = "log"

// Watch returns a channel that receives when the copy's state may have changed: at once, and
// after each change; changes that follow quickly are one. It ends with ctx, silently. The
// receiver reads the copy again.
func (s *Store) Watch(ctx context.Context, id certcopy.CopyID) <-chan struct{} {
	return s.hear(ctx, string(id))
}

// WatchLog returns a channel that receives at once and after the log has grown.
func (s *Store) WatchLog(ctx context.Context) <-chan struct{} { return s.hear(ctx, logTopic) }

// pollInterval bounds the wait for what was not heard, or is no change of state: a trouble.
const pollInterval = 2 * time.Second

// WaitCopy returns the copy as soon as until says so of it, or when ctx ends.
func (s *Store) WaitCopy(ctx context.Context, id certcopy.CopyID, until func(certcopy.Copy) bool) (certcopy.Copy, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := s.Watch(ctx, id)
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		c, err := s.Copy(ctx, id)
		if err != nil || until(c) {
			return c, err
		}
		select {
		case <-ctx.Done():
			return c, ctx.Err()
		case <-changes:
		case <-poll.C:
		}
	}
}

// ear is the one connection on which a Store hears of changes.
type ear struct {
	config *pgx.ConnConfig
	stop   context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	subs map[string]map[chan struct{}]bool // by topic; guarded by mu
}

// hear subscribes to a topic until ctx ends; the first subscriber opens the connection.
func (s *Store) hear(ctx context.Context, topic string) <-chan struct{} {
	s.listening.Lock()
	defer s.listening.Unlock()
	if s.ear == nil {
		s.ear = newEar(s.pool.Config().ConnConfig)
	}
	return s.ear.subscribe(ctx, topic)
}

func newEar(config *pgx.ConnConfig) *ear {
	ctx, stop := context.WithCancel(context.Background())
	e := &ear{config: config, stop: stop, done: make(chan struct{}), subs: map[string]map[chan struct{}]bool{}}
	go func() {
		defer close(e.done)
		for ctx.Err() == nil {
			e.listen(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	return e
}

func (e *ear) close() {
	e.stop()
	<-e.done
}

func (e *ear) subscribe(ctx context.Context, topic string) <-chan struct{} {
	c := make(chan struct{}, 1)
	c <- struct{}{}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.subs[topic] == nil {
		e.subs[topic] = map[chan struct{}]bool{}
	}
	e.subs[topic][c] = true
	context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if delete(e.subs[topic], c); len(e.subs[topic]) == 0 {
			delete(e.subs, topic)
		}
	})
	return c
}

// listen passes notifications on until the connection is lost.
func (e *ear) listen(ctx context.Context) {
	conn, err := pgx.ConnectConfig(ctx, e.config)
	if err != nil {
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN saoy_copy; LISTEN saoy_log`); err != nil {
		return
	}
	e.wakeAll() // of what happened while nobody listened
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return
		}
		topic := n.Payload
		if n.Channel == "saoy_log" {
			topic = logTopic
		}
		e.mu.Lock()
		wake(e.subs[topic])
		e.mu.Unlock()
	}
}

func (e *ear) wakeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, subs := range e.subs {
		wake(subs)
	}
}

func wake(subs map[chan struct{}]bool) {
	for c := range subs {
		select {
		case c <- struct{}{}:
		default: // not yet taken: one is enough
		}
	}
}
