package public

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/go-chi/chi/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// proof sends all that the log says of a copy: the proof of its issue (or void), then those of
// its annulment, extension and erasure, if any; with ?kind=annul, extend or erase the newest
// leaf of that kind alone. Who keeps the file of an annulled copy so holds the annulment too.
func (s *Site) proof(w http.ResponseWriter, r *http.Request) error {
	code, _, err := s.lookUp(w, r)
	if err != nil {
		return err
	}
	indexes, err := s.leavesFor(r, code)
	if err != nil {
		return err
	}
	size, signed, err := s.Log.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	var proofs []register.Proof
	for _, index := range indexes {
		if int64(index) >= size {
			return errNotYetSigned // left out, the file would say less than is known
		}
		leaf, _, err := s.Log.Leaf(r.Context(), index)
		if err != nil {
			return err
		}
		p, err := s.LogKey.Prove(leaf, index, signed, s.hashes(r))
		if err != nil {
			return fmt.Errorf("proof of leaf %d: %w", index, err)
		}
		proofs = append(proofs, p)
	}
	text(w, fmt.Sprintf(`attachment; filename="%s.tlog-proof"`, code.Grouped()))
	_, _ = w.Write(register.MarshalProofs(proofs)) // a broken connection shows in the access log
	return nil
}

var errNotYetSigned = certcopy.Errorf(certcopy.Unavailable, "", nil, certcopy.Msg(
	"Nhật ký vừa ghi thêm về bản sao này và chưa được ký. Hãy thử lại sau vài giây.",
	"The log has just been added to about this copy and is not signed yet. Try again in a few seconds."))

// leavesFor names the leaves that are asked for.
func (s *Site) leavesFor(r *http.Request, code link.Code) ([]certcopy.LeafIndex, error) {
	c, err := s.Register.PublicByCode(r.Context(), code.Hash())
	if err != nil {
		return nil, err
	}
	indexes, err := s.Log.LeavesOf(r.Context(), c.ID)
	if err != nil {
		return nil, err
	}
	kind := storage.LeafKind(r.URL.Query().Get("kind"))
	if kind == "" {
		rest := slices.DeleteFunc(slices.Clone(indexes), func(i certcopy.LeafIndex) bool { return i == c.Leaf })
		return append([]certcopy.LeafIndex{c.Leaf}, rest...), nil
	}
	for _, index := range slices.Backward(indexes) {
		leaf, _, err := s.Log.Leaf(r.Context(), index)
		if err != nil {
			return nil, err
		}
		if l, err := register.ParseLeaf(leaf); err == nil && l.Kind == kind {
			return []certcopy.LeafIndex{index}, nil
		}
	}
	return nil, storage.ErrNotFound
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
