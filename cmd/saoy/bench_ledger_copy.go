package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
)

// benchTable is one table with the rows a copy has in it.
type benchTable struct {
	name    string
	columns []string
	rows    func(f *ledgerFiller, c benchCopy) [][]any
}

// person returns an account of the copy's office.
func (c benchCopy) person(i int) string { return string(c.office.People[i].ID) }

const (
	benchClerk, benchCertifier, benchKeeper = 0, 1, 2

	benchPages = `[{"width":595.28,"height":841.89,"free_bottom":220.5,"dpi":300}]`
)

var benchTables = []benchTable{
	{"request", []string{"id", "agency", "requester", "channel", "created_by", "created_at"}, func(_ *ledgerFiller, c benchCopy) [][]any {
		return [][]any{{c.request, string(c.office.Agency.ID), c.requester, "desk", c.person(benchClerk), c.at}}
	}},
	{"request_private", []string{"request", "id_number", "phone"}, func(_ *ledgerFiller, c benchCopy) [][]any {
		return [][]any{{c.request, fmt.Sprintf("0520%08d", c.seq), "0900000000"}}
	}},
	{"copy", []string{"id", "request", "agency", "position", "code", "code_hash", "created_at", "state", "revision", "document_type", "title", "issuing_body",
		"pages", "copies", "clean_digest", "clean_size", "clean_pages", "checked", "submission", "submitted_by", "submitted_at",
		"certified_by", "certified_name", "certified_title", "certified_at", "sealed_by", "sealed_at",
		"final_digest", "final_size", "final_pages", "final_level", "changed_at"}, benchCopyRow},
	{"copy_private", []string{"copy", "salt"}, func(_ *ledgerFiller, c benchCopy) [][]any { return [][]any{{c.id, c.salt}} }},
	{"file_key", []string{"copy", "wrapped"}, func(f *ledgerFiller, c benchCopy) [][]any {
		wrapped := make([]byte, 274) // what age makes of an identity
		_, _ = f.rng.Read(wrapped)
		return [][]any{{c.id, wrapped}}
	}},
	{"generation", []string{"copy", "role", "generation"}, func(_ *ledgerFiller, c benchCopy) [][]any {
		return [][]any{{c.id, "certifier", int32(1)}, {c.id, "agency", int32(1)}}
	}},
	{"book_row", []string{"agency", "book", "year", "seq", "volume", "date", "copy", "requester", "title", "signer_account", "signer_name", "signer_title",
		"copies", "original_pages", "fee", "entered_at"}, func(_ *ledgerFiller, c benchCopy) [][]any {
		o := c.office
		return [][]any{{string(o.Agency.ID), string(o.Agency.Book), int32(c.at.Year()), c.seq, int32(1), certcopy.Day(c.at), c.id, c.requester, c.title,
			c.person(benchCertifier), o.People[benchCertifier].Name, "CHỦ TỊCH", int32(1), int32(2), int64(4000), c.at}}
	}},
}

func benchCopyRow(f *ledgerFiller, c benchCopy) [][]any {
	hash := c.code.Hash()
	return [][]any{{c.id, c.request, string(c.office.Agency.ID), int32(1), c.code.String(), hash[:], c.at, "released", int32(12), c.kind, c.title, "UBND huyện",
		int32(2), int32(1), f.digest(), int64(301_234), benchPages, true, c.submission, c.person(benchClerk), c.at,
		c.person(benchCertifier), c.office.People[benchCertifier].Name, "CHỦ TỊCH", c.at, c.person(benchKeeper), c.at,
		c.final, int64(412_345), int32(2), "B-LT", c.at}}
}

// write copies the rows of a batch into the tables, then the batch's leaves and hashes.
func (f *ledgerFiller) write(ctx context.Context, all []benchCopy) error {
	for _, t := range benchTables {
		if err := f.copyRows(ctx, t, all); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return f.writeLog(ctx, all)
}

func (f *ledgerFiller) copyRows(ctx context.Context, t benchTable, all []benchCopy) error {
	var rows [][]any
	i := 0
	_, err := f.owner.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
		if len(rows) == 0 {
			if i == len(all) {
				return nil, nil
			}
			rows = t.rows(f, all[i])
			i++
		}
		row := rows[0]
		rows = rows[1:]
		return row, nil
	}))
	return err
}

func (f *ledgerFiller) writeLog(ctx context.Context, all []benchCopy) error {
	first := f.size
	var hashes [][]any
	for _, c := range all {
		at, added, err := f.hashes(c.leaf)
		if err != nil {
			return err
		}
		for i := range added {
			hashes = append(hashes, []any{at + int64(i), added[i][:]})
		}
	}
	if _, err := f.owner.CopyFrom(ctx, pgx.Identifier{"tree_hash"}, []string{"ix", "hash"}, pgx.CopyFromRows(hashes)); err != nil {
		return fmt.Errorf("tree_hash: %w", err)
	}
	_, err := f.owner.CopyFrom(ctx, pgx.Identifier{"leaf"}, []string{"index", "copy", "kind", "bytes", "at"}, pgx.CopyFromSlice(len(all), func(i int) ([]any, error) {
		return []any{first + int64(i), all[i].id, "issue", all[i].leaf, all[i].at}, nil
	}))
	return err
}
