package issue_test

import (
	"context"
	"iter"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// faultyLedger is a ledger at the other end of a line. It embeds nothing: a method that the
// contract gains does not compile here until it can fail.
type faultyLedger struct {
	inner storage.Ledger
	l     *line
}

var _ storage.Ledger = faultyLedger{}

func (w faultyLedger) do(ctx context.Context, op string, changes bool, f func() error) error {
	_, err := over(ctx, w.l, "ledger."+op, changes, store, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

func (w faultyLedger) Leaves(ctx context.Context, from certcopy.LeafIndex) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := w.do(ctx, "Leaves", false, func() error { return nil }); err != nil {
			yield(nil, err)
			return
		}
		w.inner.Leaves(ctx, from)(yield)
	}
}

func (w faultyLedger) CreateRequest(ctx context.Context, r certcopy.Request, originals []storage.NewCopy) (v certcopy.Request, u bool, err error) {
	err = w.do(ctx, "CreateRequest", true, func() (err error) { v, u, err = w.inner.CreateRequest(ctx, r, originals); return err })
	return v, u, err
}

func (w faultyLedger) Record(ctx context.Context, e storage.AuditEvent) error {
	return w.do(ctx, "Record", true, func() error { return w.inner.Record(ctx, e) })
}

func (w faultyLedger) AddCopy(ctx context.Context, r certcopy.RequestID, c storage.NewCopy) error {
	return w.do(ctx, "AddCopy", true, func() error { return w.inner.AddCopy(ctx, r, c) })
}

func (w faultyLedger) EditCopy(ctx context.Context, id certcopy.CopyID, revision int, o certcopy.Original) error {
	return w.do(ctx, "EditCopy", true, func() error { return w.inner.EditCopy(ctx, id, revision, o) })
}

func (w faultyLedger) SetScans(ctx context.Context, id certcopy.CopyID, revision int, scans []certcopy.Scan) error {
	return w.do(ctx, "SetScans", true, func() error { return w.inner.SetScans(ctx, id, revision, scans) })
}

func (w faultyLedger) SetClean(ctx context.Context, id certcopy.CopyID, revision int, d certcopy.CleanDocument) error {
	return w.do(ctx, "SetClean", true, func() error { return w.inner.SetClean(ctx, id, revision, d) })
}

func (w faultyLedger) Submit(ctx context.Context, s storage.Submission) error {
	return w.do(ctx, "Submit", true, func() error { return w.inner.Submit(ctx, s) })
}

func (w faultyLedger) Certify(ctx context.Context, c storage.Confirmation) error {
	return w.do(ctx, "Certify", true, func() error { return w.inner.Certify(ctx, c) })
}

func (w faultyLedger) CancelCertify(ctx context.Context, id certcopy.CopyID, m certcopy.Message) error {
	return w.do(ctx, "CancelCertify", true, func() error { return w.inner.CancelCertify(ctx, id, m) })
}

func (w faultyLedger) Leave(ctx context.Context, v storage.Leaving) error {
	return w.do(ctx, "Leave", true, func() error { return w.inner.Leave(ctx, v) })
}

func (w faultyLedger) TakeNumber(ctx context.Context, id certcopy.CopyID) (certcopy.Number, error) {
	return over(ctx, w.l, "ledger.TakeNumber", true, store, func() (certcopy.Number, error) { return w.inner.TakeNumber(ctx, id) })
}

func (w faultyLedger) Generation(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole) (certcopy.Generation, error) {
	return over(ctx, w.l, "ledger.Generation", true, store, func() (certcopy.Generation, error) { return w.inner.Generation(ctx, id, role) })
}

func (w faultyLedger) KillGeneration(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole, g certcopy.Generation, reason string) error {
	return w.do(ctx, "KillGeneration", true, func() error { return w.inner.KillGeneration(ctx, id, role, g, reason) })
}

func (w faultyLedger) PutArtifact(ctx context.Context, k storage.ArtifactKey, b []byte) ([]byte, error) {
	return over(ctx, w.l, "ledger.PutArtifact", true, store, func() ([]byte, error) { return w.inner.PutArtifact(ctx, k, b) })
}

func (w faultyLedger) Artifact(ctx context.Context, k storage.ArtifactKey) ([]byte, error) {
	return over(ctx, w.l, "ledger.Artifact", false, store, func() ([]byte, error) { return w.inner.Artifact(ctx, k) })
}

func (w faultyLedger) Advance(ctx context.Context, id certcopy.CopyID, from, to certcopy.State, file storage.FileRef) error {
	return w.do(ctx, "Advance", true, func() error { return w.inner.Advance(ctx, id, from, to, file) })
}

func (w faultyLedger) File(ctx context.Context, id certcopy.CopyID, s certcopy.State) (storage.FileRef, error) {
	return over(ctx, w.l, "ledger.File", false, store, func() (storage.FileRef, error) { return w.inner.File(ctx, id, s) })
}

func (w faultyLedger) ConfirmSeal(ctx context.Context, c storage.Confirmation) error {
	return w.do(ctx, "ConfirmSeal", true, func() error { return w.inner.ConfirmSeal(ctx, c) })
}

func (w faultyLedger) PutFileKey(ctx context.Context, id certcopy.CopyID, wrapped []byte) ([]byte, error) {
	return over(ctx, w.l, "ledger.PutFileKey", true, store, func() ([]byte, error) { return w.inner.PutFileKey(ctx, id, wrapped) })
}

func (w faultyLedger) FileKey(ctx context.Context, id certcopy.CopyID) ([]byte, error) {
	return over(ctx, w.l, "ledger.FileKey", false, store, func() ([]byte, error) { return w.inner.FileKey(ctx, id) })
}

func (w faultyLedger) Register(ctx context.Context, id certcopy.CopyID, f certcopy.FinalFile, leaf storage.LeafMaker) (certcopy.LeafIndex, error) {
	return over(ctx, w.l, "ledger.Register", true, store, func() (certcopy.LeafIndex, error) { return w.inner.Register(ctx, id, f, leaf) })
}

func (w faultyLedger) Void(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID, reason, text string, leaf storage.LeafMaker) (certcopy.LeafIndex, error) {
	return over(ctx, w.l, "ledger.Void", true, store, func() (certcopy.LeafIndex, error) { return w.inner.Void(ctx, id, by, reason, text, leaf) })
}

func (w faultyLedger) Annul(ctx context.Context, id certcopy.CopyID, d certcopy.Decision, leaf storage.LeafMaker) (certcopy.LeafIndex, error) {
	return over(ctx, w.l, "ledger.Annul", true, store, func() (certcopy.LeafIndex, error) { return w.inner.Annul(ctx, id, d, leaf) })
}

func (w faultyLedger) Salt(ctx context.Context, id certcopy.CopyID) ([]byte, error) {
	return over(ctx, w.l, "ledger.Salt", false, store, func() ([]byte, error) { return w.inner.Salt(ctx, id) })
}

func (w faultyLedger) Head(ctx context.Context) (v int64, u certcopy.Digest, err error) {
	err = w.do(ctx, "Head", false, func() (err error) { v, u, err = w.inner.Head(ctx); return err })
	return v, u, err
}

func (w faultyLedger) Leaf(ctx context.Context, i certcopy.LeafIndex) (v []byte, u certcopy.CopyID, err error) {
	err = w.do(ctx, "Leaf", false, func() (err error) { v, u, err = w.inner.Leaf(ctx, i); return err })
	return v, u, err
}

func (w faultyLedger) LeavesOf(ctx context.Context, id certcopy.CopyID) ([]certcopy.LeafIndex, error) {
	return over(ctx, w.l, "ledger.LeavesOf", false, store, func() ([]certcopy.LeafIndex, error) { return w.inner.LeavesOf(ctx, id) })
}

func (w faultyLedger) ReadHashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error) {
	return over(ctx, w.l, "ledger.ReadHashes", false, store, func() ([]certcopy.Digest, error) { return w.inner.ReadHashes(ctx, indexes) })
}

func (w faultyLedger) Checkpoint(ctx context.Context) (v int64, u []byte, err error) {
	err = w.do(ctx, "Checkpoint", false, func() (err error) { v, u, err = w.inner.Checkpoint(ctx); return err })
	return v, u, err
}

func (w faultyLedger) Publish(ctx context.Context, size int64, note []byte) ([]certcopy.CopyID, error) {
	return over(ctx, w.l, "ledger.Publish", true, store, func() ([]certcopy.CopyID, error) { return w.inner.Publish(ctx, size, note) })
}

func (w faultyLedger) Copy(ctx context.Context, id certcopy.CopyID) (certcopy.Copy, error) {
	return over(ctx, w.l, "ledger.Copy", false, store, func() (certcopy.Copy, error) { return w.inner.Copy(ctx, id) })
}

func (w faultyLedger) Request(ctx context.Context, id certcopy.RequestID) (certcopy.Request, error) {
	return over(ctx, w.l, "ledger.Request", false, store, func() (certcopy.Request, error) { return w.inner.Request(ctx, id) })
}

func (w faultyLedger) Agency(ctx context.Context, id certcopy.AgencyID) (certcopy.Agency, error) {
	return over(ctx, w.l, "ledger.Agency", false, store, func() (certcopy.Agency, error) { return w.inner.Agency(ctx, id) })
}

func (w faultyLedger) Scans(ctx context.Context, id certcopy.CopyID) ([]certcopy.Scan, error) {
	return over(ctx, w.l, "ledger.Scans", false, store, func() ([]certcopy.Scan, error) { return w.inner.Scans(ctx, id) })
}

func (w faultyLedger) Pending(ctx context.Context) ([]certcopy.CopyID, error) {
	return over(ctx, w.l, "ledger.Pending", false, store, func() ([]certcopy.CopyID, error) { return w.inner.Pending(ctx) })
}

func (w faultyLedger) SetTrouble(ctx context.Context, id certcopy.CopyID, m certcopy.Message) error {
	return w.do(ctx, "SetTrouble", true, func() error { return w.inner.SetTrouble(ctx, id, m) })
}
