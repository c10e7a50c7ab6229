package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
)

// benchAgencies is how many communes the copies are spread over, about as many as a province has.
const benchAgencies = 100

// ledgerFiller puts released copies into a ledger, as its owner and with triggers and foreign
// keys off: rows are those that the flow would have written, with a true log.
type ledgerFiller struct {
	owner   *pgx.Conn
	rng     *rand.ChaCha8
	random  *rand.Rand
	offices []storage.Office
	copies  int64            // so far
	seqs    map[int64]int64  // of each agency, this year's last number
	edge    map[int64][]byte // stored hashes of the tree that later ones need, by index
	size    int64            // of the tree
	from    time.Time
	codes   []certcopy.Digest // some of the codes' hashes
}

func newLedgerFiller(ctx context.Context, store *postgres.Store, owner *pgx.Conn) (*ledgerFiller, error) {
	rng := rand.NewChaCha8([32]byte{7})
	f := &ledgerFiller{owner: owner, rng: rng, random: rand.New(rng), seqs: map[int64]int64{}, edge: map[int64][]byte{}, //nolint:gosec // rows of a benchmark
		from: time.Date(time.Now().Year(), 1, 1, 1, 0, 0, 0, time.UTC)}
	for i := range benchAgencies {
		o := f.office(i)
		if err := store.OpenOffice(ctx, o); err != nil {
			return nil, err
		}
		f.offices = append(f.offices, o)
	}
	if _, err := store.Found(ctx, storage.Installation{PublicURL: "https://bench.invalid", LogKey: "bench", Demonstration: true}); err != nil {
		return nil, err
	}
	_, err := owner.Exec(ctx, `SET session_replication_role = replica; SET synchronous_commit = off`)
	return f, err
}

func (f *ledgerFiller) office(i int) storage.Office {
	person := func(login string, role certcopy.Role, scopes ...string) storage.Person {
		return storage.Person{ID: certcopy.AccountID(f.uuid().String()), Login: fmt.Sprintf("%s%d", login, i), Name: f.name(), Title: "CHỦ TỊCH",
			Roles: []certcopy.Role{role}, Scopes: scopes, Decision: "01/QĐ-UBND"}
	}
	id := certcopy.AgencyID(fmt.Sprintf("xa-%03d", i))
	return storage.Office{
		Agency: certcopy.Agency{ID: id, Code: fmt.Sprintf("H08.%03d", i), Name: "Ủy ban nhân dân xã số " + string(id), Place: "Xã", Province: "Gia Lai",
			Book: certcopy.DefaultBook, SealAtOnce: true, Demonstration: true},
		From:   f.from.AddDate(-1, 0, 0),
		People: []storage.Person{person("canbo", certcopy.Clerk), person("chutich", certcopy.Certifier, "certify"), person("vanthu", certcopy.SealKeeper, "seal")},
	}
}

func (f *ledgerFiller) uuid() uuid.UUID {
	id, _ := uuid.NewRandomFromReader(f.rng) // never fails
	return id
}

func (f *ledgerFiller) digest() []byte {
	b := make([]byte, sha256.Size)
	_, _ = f.rng.Read(b) // never fails
	return b
}

var (
	benchFamilies = []string{"Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ"}
	benchMiddles  = []string{"Văn", "Thị", "Đức", "Minh", "Ngọc", "Thanh", "Hữu", "Xuân"}
	benchGiven    = []string{"An", "Bình", "Dũng", "Hường", "Khánh", "Lan", "Nghĩa", "Phượng", "Quỳnh", "Tuyết", "Ỷ", "Đạt"}
	benchTypes    = []string{"can-cuoc", "khai-sinh", "bang-dai-hoc", "quyen-su-dung-dat", "giay-phep-lai-xe", "khac"}
)

func (f *ledgerFiller) one(words []string) string { return words[f.random.IntN(len(words))] }

func (f *ledgerFiller) name() string {
	return f.one(benchFamilies) + " " + f.one(benchMiddles) + " " + f.one(benchGiven)
}

// benchCopy is one copy with all that its rows need.
type benchCopy struct {
	id, request             uuid.UUID
	office                  storage.Office
	code                    link.Code
	requester, title, kind  string
	seq                     int64
	at                      time.Time
	submission, final, salt []byte
	leaf                    []byte
}

// fill goes on until there are so many copies.
func (f *ledgerFiller) fill(ctx context.Context, until int64) error {
	const batch = 50_000
	for f.copies < until {
		n := min(batch, until-f.copies)
		all := make([]benchCopy, n)
		for i := range all {
			c, err := f.next()
			if err != nil {
				return err
			}
			all[i] = c
			if i%50 == 0 {
				f.codes = append(f.codes, c.code.Hash())
			}
		}
		if err := f.write(ctx, all); err != nil {
			return err
		}
	}
	if err := f.count(ctx); err != nil {
		return err
	}
	_, err := f.owner.Exec(ctx, `VACUUM (ANALYZE)`)
	if err == nil {
		_, err = f.owner.Exec(ctx, `CHECKPOINT`)
	}
	return err
}

// next makes the next released copy.
func (f *ledgerFiller) next() (benchCopy, error) {
	agency := f.copies % benchAgencies
	f.copies++
	f.seqs[agency]++
	// Copies of a whole year, so that "today" holds few of them.
	return f.make(f.offices[agency], f.seqs[agency], f.from.Add(time.Duration(f.copies)*31*time.Millisecond))
}

func (f *ledgerFiller) make(o storage.Office, seq int64, at time.Time) (c benchCopy, err error) {
	c = benchCopy{id: f.uuid(), request: f.uuid(), office: o, requester: f.name(), kind: f.one(benchTypes), seq: seq, at: at,
		submission: f.digest(), final: f.digest(), salt: f.digest()}
	c.title = "Giấy tờ của " + c.requester
	if c.code, err = link.NewCode(f.rng); err != nil {
		return c, err
	}
	c.leaf, err = f.leafOf(c)
	return c, err
}

func (f *ledgerFiller) leafOf(c benchCopy) ([]byte, error) {
	return register.Leaf{Kind: storage.LeafIssue, Time: c.at, Agency: c.office.Agency.ID, Book: c.office.Agency.Book, Year: c.at.Year(), Number: c.seq,
		CodeHash: c.code.Hash(), Date: certcopy.Day(c.at), File: certcopy.Digest(c.final), Length: 412_345, Pages: 2,
		DocumentType: certcopy.DocumentTypeCode(c.kind), CertifierCertificate: certcopy.Digest(c.salt), AgencyCertificate: certcopy.Digest(c.submission),
		Commitment: certcopy.DigestOf(c.salt)}.Marshal()
}

// hashes adds a leaf to the tree and returns what is stored for it.
func (f *ledgerFiller) hashes(leaf []byte) (first int64, added []tlog.Hash, err error) {
	first = tlog.StoredHashIndex(0, f.size)
	added, err = tlog.StoredHashes(f.size, leaf, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, ix := range indexes {
			h, ok := f.edge[ix]
			if !ok {
				return nil, fmt.Errorf("hash %d is gone", ix)
			}
			copy(out[i][:], h)
			delete(f.edge, ix) // each is asked for once, by the hash above it
		}
		return out, nil
	}))
	f.size++
	if err == nil { // the others are below the last, and asked for no more
		top := added[len(added)-1]
		f.edge[first+int64(len(added))-1] = top[:]
	}
	return first, added, err
}

// count brings the counters and the head of the tree to what was written.
func (f *ledgerFiller) count(ctx context.Context) error {
	for agency, seq := range f.seqs {
		if _, err := f.owner.Exec(ctx, `UPDATE counter SET last_seq = $2, year = $3, last_date = least(last_date, current_date) WHERE agency = $1`,
			f.offices[agency].Agency.ID, seq, f.from.Year()); err != nil {
			return err
		}
	}
	var root [sha256.Size]byte
	binary.BigEndian.PutUint64(root[:], uint64(f.size)) // nobody compares it here
	_, err := f.owner.Exec(ctx, `UPDATE tree_head SET size = $1, root = $2`, f.size, root[:])
	return err
}
