package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Salt returns the copy's blinding salt; ErrNotFound once erased.
func (s *Store) Salt(ctx context.Context, id certcopy.CopyID) (salt []byte, err error) {
	if err = s.pool.QueryRow(ctx, `SELECT salt FROM copy_private WHERE copy = $1`, id).Scan(&salt); err != nil {
		return nil, fmt.Errorf("salt of %s: %w", id, ours(err))
	}
	return salt, nil
}

// Head returns the size and root hash of the tree.
func (s *Store) Head(ctx context.Context) (size int64, root certcopy.Digest, err error) {
	var b []byte
	if err = s.pool.QueryRow(ctx, `SELECT size, root FROM tree_head`).Scan(&size, &b); err != nil {
		return 0, root, fmt.Errorf("head of the log: %w", ours(err))
	}
	return size, digest(b), nil
}

// Leaf returns the bytes of a leaf and the copy it speaks of.
func (s *Store) Leaf(ctx context.Context, i certcopy.LeafIndex) (b []byte, id certcopy.CopyID, err error) {
	if err = s.pool.QueryRow(ctx, `SELECT bytes, copy FROM leaf WHERE index = $1`, i).Scan(&b, &id); err != nil {
		return nil, "", fmt.Errorf("leaf %d: %w", i, ours(err))
	}
	return b, id, nil
}

// leavesAtOnce bounds the memory of Leaves.
const leavesAtOnce = 1000

// Leaves yields the leaves from index from on. A gap in the indices ends it with ErrNotFound.
func (s *Store) Leaves(ctx context.Context, from certcopy.LeafIndex) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			page, err := s.leafPage(ctx, from)
			for _, b := range page {
				if !yield(b, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, fmt.Errorf("leaves from %d: %w", from, ours(err)))
				return
			}
			if len(page) < leavesAtOnce {
				return
			}
			from += leavesAtOnce
		}
	}
}

func (s *Store) leafPage(ctx context.Context, from certcopy.LeafIndex) (page [][]byte, err error) {
	rows, err := s.pool.Query(ctx, `SELECT index, bytes FROM leaf WHERE index >= $1 ORDER BY index LIMIT $2`, from, leavesAtOnce)
	if err != nil {
		return nil, err
	}
	var index certcopy.LeafIndex
	var b []byte
	_, err = pgx.ForEachRow(rows, []any{&index, &b}, func() error {
		if want := from + certcopy.LeafIndex(len(page)); index != want {
			return fmt.Errorf("%w: leaf %d", storage.ErrNotFound, want)
		}
		page, b = append(page, b), nil
		return nil
	})
	return page, err
}

// LeavesOf returns the indices of a copy's leaves, oldest first.
func (s *Store) LeavesOf(ctx context.Context, id certcopy.CopyID) ([]certcopy.LeafIndex, error) {
	rows, err := s.pool.Query(ctx, `SELECT index FROM leaf WHERE copy = $1 ORDER BY index`, id)
	if err != nil {
		return nil, fmt.Errorf("leaves of %s: %w", id, ours(err))
	}
	indices, err := pgx.CollectRows(rows, pgx.RowTo[certcopy.LeafIndex])
	if err != nil {
		return nil, fmt.Errorf("leaves of %s: %w", id, ours(err))
	}
	return indices, nil
}

// ReadHashes returns stored hashes by index; ErrNotFound if one is missing.
func (s *Store) ReadHashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error) {
	hashes, err := readHashes(ctx, s.pool, indexes)
	if err != nil {
		return nil, fmt.Errorf("hashes of the log: %w", ours(err))
	}
	return hashes, nil
}

// Checkpoint returns the newest signed checkpoint in the ledger; ErrNotFound if there is none.
func (s *Store) Checkpoint(ctx context.Context) (size int64, note []byte, err error) {
	if err = s.pool.QueryRow(ctx, `SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1`).Scan(&size, &note); err != nil {
		return 0, nil, fmt.Errorf("checkpoint: %w", ours(err))
	}
	return size, note, nil
}

// Publish records a signed checkpoint and releases every registered copy whose leaf it
// covers. ErrConflict if the ledger has one at least as large, or a smaller tree.
func (s *Store) Publish(ctx context.Context, size int64, note []byte) (released []certcopy.CopyID, err error) {
	err = s.tx(ctx, fmt.Sprintf("publish checkpoint %d", size), func(tx pgx.Tx) error {
		// One at a time, without stopping those who append.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('saoy publish'))`); err != nil {
			return err
		}
		if err := changed(tx.Exec(ctx, `INSERT INTO checkpoint (size, note) SELECT $1, $2
			WHERE $1 > (SELECT coalesce(max(size), 0) FROM checkpoint) AND $1 <= (SELECT size FROM tree_head)`, size, note)); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `UPDATE copy SET state = 'released', revision = revision + 1 FROM leaf l
			WHERE l.copy = copy.id AND l.kind = 'issue' AND l.index < $1 AND copy.state = 'registered' RETURNING copy.id`, size)
		if err != nil {
			return err
		}
		if released, err = pgx.CollectRows(rows, pgx.RowTo[certcopy.CopyID]); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, released...)
	})
	if err != nil {
		return nil, err
	}
	return released, nil
}
