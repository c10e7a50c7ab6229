package issue_test

import (
	"errors"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
)

// A ledger that is not the one that was signed before is neither signed nor started with,
// whether its log grew, shrank or stayed as long.
func TestRewrittenLogIsNotSigned(t *testing.T) {
	const forget = `DELETE FROM leaf WHERE index >= 1; DELETE FROM tree_hash WHERE ix >= 1;`
	const rewrite = `UPDATE tree_hash SET hash = sha256('x') WHERE ix = 0;
		UPDATE tree_hash SET hash = sha256('\x01'::bytea || sha256('x') || (SELECT hash FROM tree_hash WHERE ix = 1)) WHERE ix = 2;
		UPDATE tree_head SET root = (SELECT hash FROM tree_hash WHERE ix = 2)`
	for name, damage := range map[string]struct {
		sql  string
		more bool // another copy is registered after the damage
	}{
		"another root":         {`UPDATE tree_head SET root = sha256('x')`, false},
		"a leaf less":          {forget + `UPDATE tree_head SET size = 1, root = (SELECT hash FROM tree_hash WHERE ix = 0)`, false},
		"no leaf":              {`DELETE FROM leaf; DELETE FROM tree_hash; UPDATE tree_head SET size = 0`, false},
		"another tree":         {rewrite, false},
		"another tree, grown":  {rewrite, true},
		"an inner hash, grown": {`UPDATE tree_hash SET hash = sha256('x') WHERE ix = 2`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, true)
			f := w.honest(t)
			for range 2 {
				w.bring(t, f, certcopy.Registered)
			}
			if _, err := f.Publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := f.CheckLog(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.sql(t, damage.sql)
			if err := f.CheckLog(t.Context()); !errors.Is(err, register.ErrInconsistent) {
				t.Errorf("start-up: %v", err)
			}
			if damage.more {
				w.bring(t, f, certcopy.Registered)
			}
			if released, err := f.Publish(t.Context()); !errors.Is(err, register.ErrInconsistent) || len(released) > 0 {
				t.Errorf("publish: %v, released %v", err, released)
			}
			if n := count(t, w.public, "checkpoint/"); n != 1 {
				t.Errorf("%d checkpoints", n)
			}
		})
	}
}

// A checkpoint of another tree of the same size, left in the public store by a ledger that
// was put back since, is not overwritten.
func TestCheckpointOfAnotherTree(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	w.bring(t, f, certcopy.Released)
	other := newWorld(t, true)
	other.log, other.public = w.log, w.public
	g := other.honest(t)
	other.bring(t, g, certcopy.Registered)
	if err := g.CheckLog(t.Context()); !errors.Is(err, register.ErrInconsistent) {
		t.Errorf("start-up: %v", err)
	}
	if _, err := g.Publish(t.Context()); !errors.Is(err, register.ErrInconsistent) {
		t.Errorf("publish: %v", err)
	}
	if other.copy(t).State != certcopy.Registered {
		t.Error("released all the same")
	}
}

func TestNothingToPublish(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	if err := f.CheckLog(t.Context()); err != nil {
		t.Errorf("start-up of an empty log: %v", err)
	}
	if released, err := f.Publish(t.Context()); err != nil || len(released) > 0 {
		t.Errorf("an empty log: %v, %v", released, err)
	}
	w.bring(t, f, certcopy.Released)
	if released, err := f.Publish(t.Context()); err != nil || len(released) > 0 || count(t, w.public, "") != 1 {
		t.Errorf("a log that has not grown: %v, %v", released, err)
	}
}
