package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

var _ storage.Public = (*Store)(nil)

// publicFrom reads the view of what may be known, so that even a mistake here shows no more.
const publicFrom = `SELECT p.id, p.state, p.agency, p.agency_name, p.place, p.province, p.demonstration,
		p.book, p.year, p.seq, p.volume, p.date, p.signer_name, p.signer_title, p.document_type, p.document_type_vi, p.document_type_en,
		p.final_digest, p.final_size, p.final_pages, p.final_level, coalesce(p.leaf, v.index), coalesce(p.leaf_at, p.voided_at),
		p.decision_number, p.decision_date, p.annulled_at, e.at, coalesce(e.reason, ''), coalesce(e.decision_number, '')
	FROM public_copy p
	LEFT JOIN leaf v ON v.copy = p.id AND v.kind = 'void'
	LEFT JOIN public_erasure e ON e.copy = p.id `

// PublicByCode implements storage.Public.
func (s *Store) PublicByCode(ctx context.Context, code certcopy.Digest) (storage.PublicCopy, error) {
	return s.publicCopy(ctx, `WHERE p.code_hash = $1`, code[:])
}

// PublicByFile implements storage.Public.
func (s *Store) PublicByFile(ctx context.Context, file certcopy.Digest) (storage.PublicCopy, error) {
	return s.publicCopy(ctx, `WHERE p.final_digest = $1 ORDER BY p.leaf LIMIT 1`, file[:])
}

// PublicByID implements storage.Public.
func (s *Store) PublicByID(ctx context.Context, id certcopy.CopyID) (storage.PublicCopy, error) {
	return s.publicCopy(ctx, `WHERE p.id = $1`, string(id))
}

func (s *Store) publicCopy(ctx context.Context, where string, arg any) (storage.PublicCopy, error) {
	return s.publicFact(ctx, publicFrom+where, arg)
}

func scanPublic(row pgx.CollectableRow) (c storage.PublicCopy, err error) {
	var digest []byte
	var size *int64
	var pages *int
	var level, decision *string
	var leaf *int64
	var leafAt, decided, annulled, erased *time.Time
	n := &c.Number
	err = row.Scan(&c.ID, &c.State, &c.Agency.ID, &c.Agency.Name, &c.Agency.Place, &c.Agency.Province, &c.Agency.Demonstration,
		&n.Book, &n.Year, &n.Seq, &n.Volume, &n.Date, &c.Official.Name, &c.Official.Title, &c.DocumentType, &c.DocumentName.VI, &c.DocumentName.EN,
		&digest, &size, &pages, &level, &leaf, &leafAt, &decision, &decided, &annulled, &erased, &c.ErasureReason, &c.ErasureDecision)
	if err != nil {
		return c, err
	}
	n.Agency, c.Agency.Book = c.Agency.ID, n.Book
	copy(c.File.Digest[:], digest)
	c.File.Size, c.File.Pages, c.File.Level = orZero(size), orZero(pages), orZero(level)
	c.Leaf, c.LeafTime = certcopy.LeafIndex(orZero(leaf)), timeOrZero(leafAt)
	c.DecisionNumber, c.DecisionDate = orZero(decision), timeOrZero(decided)
	c.AnnulledAt, c.ErasedAt = timeOrZero(annulled), timeOrZero(erased)
	return c, nil
}

func orZero[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// CopyByCode finds a copy in any state by the SHA-256 of its verification code; for the office
// and the command line, never for the public.
func (s *Store) CopyByCode(ctx context.Context, code certcopy.Digest) (id certcopy.CopyID, err error) {
	err = s.pool.QueryRow(ctx, `SELECT id FROM copy WHERE code_hash = $1`, code[:]).Scan(&id)
	return id, ours(err)
}
