package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Register is the commit point: sealed → registered, with a leaf and the final file.
func (s *Store) Register(ctx context.Context, id certcopy.CopyID, f certcopy.FinalFile, leaf storage.LeafMaker) (index certcopy.LeafIndex, err error) {
	err = s.tx(ctx, "register copy "+string(id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET state = 'registered', final_digest = $2, final_size = $3, final_pages = $4, final_level = $5,
				trouble_vi = '', trouble_en = '', revision = revision + 1
			WHERE id = $1 AND state = 'sealed'`, id, digestOrNull(f.Digest), f.Size, f.Pages, f.Level)
		if err := found(ctx, tx, id, tag, err); err != nil {
			return err
		}
		index, _, err = appendLeaf(ctx, tx, id, storage.LeafIssue, leaf)
		return err
	})
	return index, err
}

// Void: numbered … sealed → void, with a leaf. The number stays in the book.
func (s *Store) Void(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID, reason, text string, leaf storage.LeafMaker) (index certcopy.LeafIndex, err error) {
	err = s.tx(ctx, "void copy "+string(id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET state = 'void', left_by = $2, reason = $3, reason_text = $4,
				trouble_vi = '', trouble_en = '', revision = revision + 1
			WHERE id = $1 AND state IN ('numbered', 'stamped', 'signed', 'sealed')`, id, by, reason, text)
		if err := found(ctx, tx, id, tag, err); err != nil {
			return err
		}
		index, _, err = appendLeaf(ctx, tx, id, storage.LeafVoid, leaf)
		return err
	})
	return index, err
}

// Annul: registered or released → annulled, with a leaf. The decision's time is the leaf's.
func (s *Store) Annul(ctx context.Context, id certcopy.CopyID, d certcopy.Decision, leaf storage.LeafMaker) (index certcopy.LeafIndex, err error) {
	err = s.tx(ctx, "annul copy "+string(id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET state = 'annulled', revision = revision + 1
			WHERE id = $1 AND state IN ('registered', 'released')`, id)
		if err := found(ctx, tx, id, tag, err); err != nil {
			return err
		}
		var at time.Time
		if index, at, err = appendLeaf(ctx, tx, id, storage.LeafAnnul, leaf); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO annulment (copy, decision_number, decision_date, reason, by_account, at) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, d.Number, d.Date, d.Reason, d.By, at)
		return err
	})
	return index, err
}

// appendLeaf adds a leaf at the end of the tree. From here to the commit nobody else appends,
// so it comes last in its transaction.
func appendLeaf(ctx context.Context, tx pgx.Tx, id certcopy.CopyID, kind storage.LeafKind, leaf storage.LeafMaker) (certcopy.LeafIndex, time.Time, error) {
	var size int64
	var at time.Time
	batch := &pgx.Batch{}
	batch.Queue(`SELECT size FROM tree_head FOR UPDATE`).QueryRow(func(row pgx.Row) error { return row.Scan(&size) })
	batch.Queue(`SELECT book_clock()`).QueryRow(func(row pgx.Row) error { return row.Scan(&at) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, at, err
	}
	b, err := leaf(at)
	if err != nil {
		return 0, at, fmt.Errorf("leaf: %w", err)
	}
	grown, err := grow(ctx, tx, size, b)
	if err != nil {
		return 0, at, err
	}
	batch = &pgx.Batch{}
	batch.Queue(`INSERT INTO leaf (index, copy, kind, bytes, at) VALUES ($1, $2, $3, $4, $5)`, size, id, kind, b, at)
	batch.Queue(`INSERT INTO tree_hash (ix, hash) SELECT $1 + n - 1, h FROM unnest($2::bytea[]) WITH ORDINALITY AS u (h, n)`, grown.first, grown.hashes)
	batch.Queue(`UPDATE tree_head SET size = $1, root = $2`, size+1, grown.root[:])
	return certcopy.LeafIndex(size), at, tx.SendBatch(ctx, batch).Close()
}

// growth is what one leaf adds to the tree: the stored hashes from index first on, and the
// new root.
type growth struct {
	first  int64
	hashes [][]byte
	root   tlog.Hash
}

func grow(ctx context.Context, tx pgx.Tx, size int64, leaf []byte) (g growth, err error) {
	stored := treeReader{ctx: ctx, tx: tx}
	added, err := tlog.StoredHashes(size, leaf, stored.with(0, nil))
	if err != nil {
		return g, stored.reason(err)
	}
	g.first = tlog.StoredHashIndex(0, size)
	for _, h := range added {
		g.hashes = append(g.hashes, h[:])
	}
	g.root, err = tlog.TreeHash(size+1, stored.with(g.first, added))
	return g, stored.reason(err)
}

// treeReader reads stored hashes inside a transaction.
type treeReader struct {
	ctx    context.Context //nolint:containedctx // tlog.HashReader has no place for it
	tx     pgx.Tx
	failed error // the first error, which tlog may hide
}

// with returns a reader that also knows hashes not yet stored, from index first on.
func (r *treeReader) with(first int64, added []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		var missing []int64
		for i, ix := range indexes {
			if added != nil && ix >= first {
				hashes[i] = added[ix-first]
			} else {
				missing = append(missing, ix)
			}
		}
		read, err := readHashes(r.ctx, r.tx, missing)
		if err != nil {
			r.failed = err
			return nil, err
		}
		for i, ix := range indexes {
			if added == nil || ix < first {
				hashes[i], read = tlog.Hash(read[0]), read[1:]
			}
		}
		return hashes, nil
	})
}

func (r *treeReader) reason(err error) error {
	if err != nil && r.failed != nil {
		return r.failed
	}
	return err
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// readHashes returns stored hashes in the order asked for.
func readHashes(ctx context.Context, q querier, indexes []int64) ([]certcopy.Digest, error) {
	if len(indexes) == 0 {
		return nil, nil
	}
	rows, err := q.Query(ctx, `SELECT hash FROM unnest($1::bigint[]) WITH ORDINALITY AS u (ix, n) JOIN tree_hash USING (ix) ORDER BY n`, indexes)
	if err != nil {
		return nil, err
	}
	hashes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (certcopy.Digest, error) {
		var b []byte
		err := row.Scan(&b)
		return digest(b), err
	})
	if err == nil && len(hashes) != len(indexes) {
		err = fmt.Errorf("%w: %d of %d hashes of the tree", storage.ErrNotFound, len(indexes)-len(hashes), len(indexes))
	}
	return hashes, err
}
