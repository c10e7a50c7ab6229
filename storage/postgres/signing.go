package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Generation returns the role's living generation, opening the first one if there is none.
func (s *Store) Generation(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole) (g certcopy.Generation, err error) {
	err = s.tx(ctx, fmt.Sprintf("generation of %s %s", id, role), func(tx pgx.Tx) error {
		const living = `SELECT generation FROM generation WHERE copy = $1 AND role = $2 AND dead_at IS NULL`
		err := tx.QueryRow(ctx, living, id, role).Scan(&g)
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO generation (copy, role, generation) VALUES ($1, $2, 1) ON CONFLICT DO NOTHING`, id, role); err != nil {
			return err
		}
		return tx.QueryRow(ctx, living, id, role).Scan(&g)
	})
	return g, err
}

// KillGeneration marks a generation dead and opens the next. Its row is locked before the
// look for a CMS, which PutArtifact stores under a lock on the same row.
func (s *Store) KillGeneration(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole, g certcopy.Generation, reason string) error {
	return s.tx(ctx, fmt.Sprintf("kill generation %d of %s %s", g, id, role), func(tx pgx.Tx) error {
		if err := changed(tx.Exec(ctx, `SELECT FROM generation WHERE copy = $1 AND role = $2 AND generation = $3 AND dead_at IS NULL FOR UPDATE`,
			id, role, g)); err != nil {
			return err
		}
		if err := changed(tx.Exec(ctx, `UPDATE generation SET dead_at = book_clock(), reason = $4
			WHERE copy = $1 AND role = $2 AND generation = $3 AND NOT EXISTS (
				SELECT FROM artifact a WHERE a.copy = $1 AND a.role = $2 AND a.generation = $3 AND a.kind = 'cms')`, id, role, g, reason)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO generation (copy, role, generation) VALUES ($1, $2, $3)`, id, role, g+1)
		return err
	})
}

// PutArtifact stores bytes create-once and returns the bytes that are stored. The lock on the
// generation's row keeps it alive until they are.
func (s *Store) PutArtifact(ctx context.Context, k storage.ArtifactKey, b []byte) (stored []byte, err error) {
	err = s.tx(ctx, artifactName(k), func(tx pgx.Tx) error {
		if err := living(ctx, tx, k); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO artifact (copy, role, generation, kind, bytes) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			k.Copy, k.Role, k.Generation, k.Kind, b)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 1 {
			stored = b
			return nil
		}
		stored, err = artifact(ctx, tx, k)
		return err
	})
	return stored, err
}

// Artifact returns stored bytes; ErrDamaged if they are not those that were stored.
func (s *Store) Artifact(ctx context.Context, k storage.ArtifactKey) (stored []byte, err error) {
	err = s.tx(ctx, artifactName(k), func(tx pgx.Tx) error {
		if err := living(ctx, tx, k); err != nil {
			return err
		}
		stored, err = artifact(ctx, tx, k)
		return err
	})
	return stored, err
}

// living refuses a generation that is dead or was never opened.
func living(ctx context.Context, tx pgx.Tx, k storage.ArtifactKey) error {
	var dead bool
	err := tx.QueryRow(ctx, `SELECT dead_at IS NOT NULL FROM generation WHERE copy = $1 AND role = $2 AND generation = $3 FOR SHARE`,
		k.Copy, k.Role, k.Generation).Scan(&dead)
	if err == nil && dead {
		err = fmt.Errorf("%w: the generation is dead", storage.ErrConflict)
	}
	return err
}

func artifact(ctx context.Context, tx pgx.Tx, k storage.ArtifactKey) (b []byte, err error) {
	var d []byte
	err = tx.QueryRow(ctx, `SELECT bytes, digest FROM artifact WHERE copy = $1 AND role = $2 AND generation = $3 AND kind = $4`,
		k.Copy, k.Role, k.Generation, k.Kind).Scan(&b, &d)
	if err == nil && certcopy.DigestOf(b) != digest(d) {
		err = storage.ErrDamaged
	}
	return b, err
}

// Advance moves a copy one state on, records the file of that state, and enqueues what comes
// next.
func (s *Store) Advance(ctx context.Context, id certcopy.CopyID, from, to certcopy.State, file storage.FileRef) error {
	return s.tx(ctx, fmt.Sprintf("copy %s: %s to %s", id, from, to), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET state = $3, revision = revision + 1, trouble_vi = '', trouble_en = ''
			WHERE id = $1 AND state = $2 AND $3 IN ('stamped', 'signed', 'sealed')`, id, from, to)
		if err := found(ctx, tx, id, tag, err); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO state_file (copy, state, key, digest, size) VALUES ($1, $2, $3, $4, $5)`,
			id, to, file.Key, file.Digest[:], file.Size); err != nil {
			return err
		}
		if waits, err := waitsForSeal(ctx, tx, id, to); err != nil || waits {
			return err
		}
		return s.enqueue(ctx, tx, id)
	})
}

// waitsForSeal reports whether a person must act before the copy can go on.
func waitsForSeal(ctx context.Context, tx pgx.Tx, id certcopy.CopyID, s certcopy.State) (waits bool, err error) {
	if s != certcopy.Signed {
		return false, nil
	}
	err = tx.QueryRow(ctx, `SELECT NOT a.seal_at_once AND c.sealed_at IS NULL FROM copy c JOIN agency a ON a.id = c.agency WHERE c.id = $1`, id).Scan(&waits)
	return waits, err
}

// File returns the file a state left in the scratch store.
func (s *Store) File(ctx context.Context, id certcopy.CopyID, state certcopy.State) (f storage.FileRef, err error) {
	var d []byte
	err = s.pool.QueryRow(ctx, `SELECT key, digest, size FROM state_file WHERE copy = $1 AND state = $2`, id, state).Scan(&f.Key, &d, &f.Size)
	if err != nil {
		return storage.FileRef{}, fmt.Errorf("file of %s %s: %w", id, state, ours(err))
	}
	f.Digest = digest(d)
	return f, nil
}

// PutFileKey stores the wrapped key of a copy's final file create-once and returns the stored
// one.
func (s *Store) PutFileKey(ctx context.Context, id certcopy.CopyID, wrapped []byte) (stored []byte, err error) {
	err = s.tx(ctx, "file key of "+string(id), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO file_key (copy, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, wrapped); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT wrapped FROM file_key WHERE copy = $1`, id).Scan(&stored)
	})
	return stored, err
}

// FileKey returns the wrapped key; ErrNotFound if there is none or it was erased.
func (s *Store) FileKey(ctx context.Context, id certcopy.CopyID) (wrapped []byte, err error) {
	if err = s.pool.QueryRow(ctx, `SELECT wrapped FROM file_key WHERE copy = $1`, id).Scan(&wrapped); err != nil {
		return nil, fmt.Errorf("file key of %s: %w", id, ours(err))
	}
	return wrapped, nil
}

func artifactName(k storage.ArtifactKey) string {
	return fmt.Sprintf("%s of %s %s generation %d", k.Kind, k.Copy, k.Role, k.Generation)
}
