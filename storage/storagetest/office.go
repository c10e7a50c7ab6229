package storagetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
)

// Office is a ledger with one agency and its people.
type Office struct {
	Ledger     storage.Ledger
	Agency     certcopy.AgencyID
	Clerk      certcopy.AccountID
	Certifier  certcopy.AccountID // authorised to certify
	SealKeeper certcopy.AccountID // authorised to seal
	// DSN connects to the ledger's database as its owner, for what a test does below the
	// contract; empty where there is none.
	DSN string
}

// NewOffice returns a store of the test's own on real PostgreSQL, with the agency
// "an-tuong-dong", which seals at once if sealAtOnce.
func NewOffice(t testing.TB, sealAtOnce bool) (*postgres.Store, Office) {
	t.Helper()
	dsn := Postgres(t)
	store, err := postgres.Open(t.Context(), postgres.Config{URL: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	o := Office{Ledger: store, Agency: "an-tuong-dong", DSN: dsn}
	o.Clerk, o.Certifier, o.SealKeeper = certcopy.AccountID(UUID()), certcopy.AccountID(UUID()), certcopy.AccountID(UUID())
	if err := store.OpenOffice(t.Context(), opening(o, sealAtOnce)); err != nil {
		t.Fatal(err)
	}
	return store, o
}

func opening(o Office, sealAtOnce bool) storage.Office {
	return storage.Office{
		Agency: certcopy.Agency{
			ID: o.Agency, Code: "H08.35.21", Name: "Ủy ban nhân dân xã Ân Tường Đông", Place: "Ân Tường Đông", Province: "Gia Lai",
			Book: certcopy.DefaultBook, SealAtOnce: sealAtOnce, Demonstration: true,
		},
		From: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		People: []storage.Person{
			{ID: o.Clerk, Login: "canbo", Name: "Trần Thị Bích", Title: "CÔNG CHỨC TƯ PHÁP - HỘ TỊCH", Roles: []certcopy.Role{certcopy.Clerk}},
			{ID: o.Certifier, Login: "chutich", Name: "Nguyễn Văn An", Title: "CHỦ TỊCH", Roles: []certcopy.Role{certcopy.Certifier},
				Scopes: []string{"certify"}, Decision: "01/QĐ-UBND"},
			{ID: o.SealKeeper, Login: "vanthu", Name: "Lê Thị Đức", Title: "VĂN THƯ", Roles: []certcopy.Role{certcopy.SealKeeper},
				Scopes: []string{"seal"}, Decision: "02/QĐ-UBND"},
		},
	}
}

// UUID returns a random UUID in its canonical text form.
func UUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// NewCopy returns a copy to be created, with a code of its own.
func NewCopy() storage.NewCopy {
	id := UUID()
	salt := make([]byte, 32)
	_, _ = rand.Read(salt)               // never fails
	code, _ := link.NewCode(rand.Reader) // as above
	return storage.NewCopy{
		ID: certcopy.CopyID(id), Code: code.String(), CodeHash: code.Hash(), Salt: salt,
		Original: certcopy.Original{Type: "khai-sinh", Title: "Giấy khai sinh số 12/2019", IssuingBody: "UBND xã Ân Tường Đông", Pages: 2, Copies: 3},
	}
}

// NewRequest returns a request to be created.
func (o Office) NewRequest() certcopy.Request {
	return certcopy.Request{
		ID: certcopy.RequestID(UUID()), Agency: o.Agency, Channel: "counter", CreatedBy: o.Clerk,
		Requester: certcopy.Requester{Name: "Phạm Thị Hường", IDNumber: "052190001234", Phone: "0901234567", Email: "huong@example.vn"},
	}
}

// Walk creates a copy in a request of its own and brings it to a state by the ledger's own
// methods.
func (o Office) Walk(ctx context.Context, to certcopy.State) (certcopy.CopyID, error) {
	n := NewCopy()
	if _, _, err := o.Ledger.CreateRequest(ctx, o.NewRequest(), []storage.NewCopy{n}); err != nil {
		return "", err
	}
	for {
		c, err := o.Ledger.Copy(ctx, n.ID)
		if err != nil || c.State == to {
			return n.ID, err
		}
		if err := o.Step(ctx, c, to); err != nil {
			return n.ID, fmt.Errorf("%s on the way to %s: %w", c.State, to, err)
		}
	}
}

// Submission is the digest Walk submits a copy with.
func Submission(id certcopy.CopyID) certcopy.Digest {
	return certcopy.DigestOf([]byte("submission of " + id))
}

// Final is the final file Walk registers a copy with.
func Final(id certcopy.CopyID) certcopy.FinalFile {
	return certcopy.FinalFile{Digest: certcopy.DigestOf([]byte("file of " + id)), Size: 123_456, Pages: 3, Level: "B-LT"}
}

// LeafOf makes a leaf that names the copy and what happened.
func LeafOf(id certcopy.CopyID, kind storage.LeafKind) storage.LeafMaker {
	return func(at time.Time) ([]byte, error) {
		return fmt.Appendf(nil, "%s %s %s", kind, id, at.Format(time.RFC3339Nano)), nil
	}
}

// Step does the one thing that brings the copy nearer to a state.
func (o Office) Step(ctx context.Context, c certcopy.Copy, to certcopy.State) error {
	switch to {
	case certcopy.Returned, certcopy.Refused, certcopy.Withdrawn:
		if c.State == certcopy.Submitted {
			return o.Ledger.Leave(ctx, storage.Leaving{Copy: c.ID, From: c.State, To: to, By: o.Certifier, Reason: "unclear", Text: "mờ"})
		}
	case certcopy.Void:
		if c.State == certcopy.Numbered {
			_, err := o.Ledger.Void(ctx, c.ID, o.Certifier, "mistake", "", LeafOf(c.ID, storage.LeafVoid))
			return err
		}
	case certcopy.Annulled:
		if c.State == certcopy.Released {
			_, err := o.Ledger.Annul(ctx, c.ID, o.Decision(), LeafOf(c.ID, storage.LeafAnnul))
			return err
		}
	}
	return o.forward(ctx, c)
}

// Decision is an annulment.
func (o Office) Decision() certcopy.Decision {
	return certcopy.Decision{Number: "07/QĐ-UBND", Date: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Reason: "Bản chính giả", By: o.Certifier}
}

// Confirmation is a confirmation of copies that Walk submitted.
func (o Office) Confirmation(by certcopy.AccountID, ids ...certcopy.CopyID) storage.Confirmation {
	c := storage.Confirmation{Agency: o.Agency, By: by, Shown: map[certcopy.CopyID]certcopy.Digest{}}
	for _, id := range ids {
		c.Shown[id] = Submission(id)
	}
	return c
}

func (o Office) forward(ctx context.Context, c certcopy.Copy) (err error) {
	l := o.Ledger
	switch c.State {
	case certcopy.Received:
		return l.SetClean(ctx, c.ID, c.Revision, certcopy.CleanDocument{
			Digest: certcopy.DigestOf([]byte("clean")), Size: 4711, Pages: []certcopy.Page{{Width: 595, Height: 842, FreeBottom: 120, DPI: 300}}})
	case certcopy.Scanned:
		return l.Submit(ctx, storage.Submission{Copy: c.ID, Revision: c.Revision, By: o.Clerk, Checked: true, Digest: Submission(c.ID)})
	case certcopy.Submitted:
		if c.CertifiedAt.IsZero() {
			return l.Certify(ctx, o.Confirmation(o.Certifier, c.ID))
		}
		_, err = l.TakeNumber(ctx, c.ID)
		return err
	case certcopy.Numbered:
		return l.Advance(ctx, c.ID, c.State, certcopy.Stamped, fileOf(c.ID, certcopy.Stamped))
	case certcopy.Stamped:
		return l.Advance(ctx, c.ID, c.State, certcopy.Signed, fileOf(c.ID, certcopy.Signed))
	case certcopy.Signed:
		return l.Advance(ctx, c.ID, c.State, certcopy.Sealed, fileOf(c.ID, certcopy.Sealed))
	case certcopy.Sealed:
		_, err = l.Register(ctx, c.ID, Final(c.ID), LeafOf(c.ID, storage.LeafIssue))
		return err
	case certcopy.Registered:
		size, root, err := l.Head(ctx)
		if err == nil {
			_, err = l.Publish(ctx, size, []byte("checkpoint "+root.String()))
		}
		return err
	}
	return fmt.Errorf("no way on from %s", c.State)
}

func fileOf(id certcopy.CopyID, s certcopy.State) storage.FileRef {
	return storage.FileRef{Key: fmt.Sprintf("%s/%s", id, s), Digest: certcopy.DigestOf([]byte(string(id) + string(s))), Size: 99}
}
