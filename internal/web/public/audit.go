package public

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// proof sends the proof file of a copy's leaf: of its issue (or void), or with ?kind=annul,
// extend or erase of the newest leaf of that kind.
func (s *Site) proof(w http.ResponseWriter, r *http.Request) error {
	code, _, err := s.lookUp(w, r)
	if err != nil {
		return err
	}
	leaf, index, err := s.leafFor(r, code)
	if err != nil {
		return err
	}
	_, signed, err := s.Log.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	p, err := s.LogKey.Prove(leaf, index, signed, s.hashes(r))
	if err != nil {
		return fmt.Errorf("proof of leaf %d: %w", index, err)
	}
	text(w, fmt.Sprintf(`attachment; filename="%s.tlog-proof"`, code.Grouped()))
	_, _ = w.Write(p.Marshal()) // a broken connection shows in the access log
	return nil
}

func (s *Site) leafFor(r *http.Request, code link.Code) (leaf []byte, index certcopy.LeafIndex, err error) {
	c, err := s.Register.PublicByCode(r.Context(), code.Hash())
	if err != nil {
		return nil, 0, err
	}
	kind := storage.LeafKind(r.URL.Query().Get("kind"))
	if kind == "" {
		leaf, _, err = s.Log.Leaf(r.Context(), c.Leaf)
		return leaf, c.Leaf, err
	}
	indexes, err := s.Log.LeavesOf(r.Context(), c.ID)
	if err != nil {
		return nil, 0, err
	}
	for i := len(indexes) - 1; i >= 0; i-- {
		leaf, _, err := s.Log.Leaf(r.Context(), indexes[i])
		if err != nil {
			return nil, 0, err
		}
		if l, err := register.ParseLeaf(leaf); err == nil && l.Kind == kind {
			return leaf, indexes[i], nil
		}
	}
	return nil, 0, storage.ErrNotFound
}

func (s *Site) hashes(r *http.Request) tlog.HashReader {
	return register.HashReader(func(indexes []int64) ([]certcopy.Digest, error) {
		return s.Log.ReadHashes(r.Context(), indexes)
	})
}

func text(w http.ResponseWriter, disposition string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	if disposition != "" {
		w.Header().Set("Content-Disposition", disposition)
	}
}

// checkpoint sends the newest signed head of the log.
func (s *Site) checkpoint(w http.ResponseWriter, r *http.Request) error {
	_, signed, err := s.Log.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	text(w, "")
	_, _ = w.Write(signed) // a broken connection shows in the access log
	return nil
}

// logKey sends the log's public key. Whoever audits should have it from elsewhere too.
func (s *Site) logKey(w http.ResponseWriter, _ *http.Request) error {
	text(w, "")
	_, err := fmt.Fprintln(w, s.LogKey.Key())
	return err
}

// tile sends a piece of the log that the newest checkpoint covers (c2sp.org/tlog-tiles).
func (s *Site) tile(w http.ResponseWriter, r *http.Request) error {
	t, err := register.ParseTile(chi.URLParam(r, "*"))
	if err != nil {
		return storage.ErrNotFound
	}
	size, _, err := s.Log.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	if !t.Within(size) {
		return storage.ErrNotFound
	}
	b, err := s.tileBytes(r, t)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if t.Full() {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	_, _ = w.Write(b) // a broken connection shows in the access log
	return nil
}

func (s *Site) tileBytes(r *http.Request, t register.Tile) ([]byte, error) {
	if !t.Entries {
		return t.Hashes(s.hashes(r))
	}
	from, to := t.Range()
	var b []byte
	for leaf, err := range s.Log.Leaves(r.Context(), from) {
		if err != nil {
			return nil, err
		}
		b = register.AppendEntry(b, leaf)
		if from++; from == to {
			return b, nil
		}
	}
	return nil, fmt.Errorf("leaves %d to %d of the log: %w", from, to, storage.ErrDamaged)
}
