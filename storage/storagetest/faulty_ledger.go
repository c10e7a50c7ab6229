package storagetest

import (
	"context"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// FaultyLedger passes calls on, but for those the switch makes fail. Its operations are all
// the methods that write, and Copy, Artifact, File, FileKey, Head, Checkpoint and ReadHashes;
// other reads pass.
type FaultyLedger struct {
	storage.Ledger
	Switch *Switch
}

var _ storage.Ledger = FaultyLedger{}

type createdRequest struct {
	request certcopy.Request
	created bool
}

func (l FaultyLedger) CreateRequest(ctx context.Context, r certcopy.Request, originals []storage.NewCopy) (certcopy.Request, bool, error) {
	c, err := write(l.Switch, "CreateRequest", func() (c createdRequest, err error) {
		c.request, c.created, err = l.Ledger.CreateRequest(ctx, r, originals)
		return c, err
	})
	return c.request, c.created, err
}

func (l FaultyLedger) Record(ctx context.Context, e storage.AuditEvent) error {
	return do(l.Switch, "Record", func() error { return l.Ledger.Record(ctx, e) })
}

func (l FaultyLedger) AddCopy(ctx context.Context, r certcopy.RequestID, c storage.NewCopy) error {
	return do(l.Switch, "AddCopy", func() error { return l.Ledger.AddCopy(ctx, r, c) })
}

func (l FaultyLedger) EditCopy(ctx context.Context, id certcopy.CopyID, revision int, o certcopy.Original) error {
	return do(l.Switch, "EditCopy", func() error { return l.Ledger.EditCopy(ctx, id, revision, o) })
}

func (l FaultyLedger) SetScans(ctx context.Context, id certcopy.CopyID, revision int, scans []certcopy.Scan) error {
	return do(l.Switch, "SetScans", func() error { return l.Ledger.SetScans(ctx, id, revision, scans) })
}

func (l FaultyLedger) SetClean(ctx context.Context, id certcopy.CopyID, revision int, d certcopy.CleanDocument) error {
	return do(l.Switch, "SetClean", func() error { return l.Ledger.SetClean(ctx, id, revision, d) })
}

func (l FaultyLedger) Submit(ctx context.Context, u storage.Submission) error {
	return do(l.Switch, "Submit", func() error { return l.Ledger.Submit(ctx, u) })
}

func (l FaultyLedger) Certify(ctx context.Context, c storage.Confirmation) error {
	return do(l.Switch, "Certify", func() error { return l.Ledger.Certify(ctx, c) })
}

func (l FaultyLedger) CancelCertify(ctx context.Context, id certcopy.CopyID, m certcopy.Message) error {
	return do(l.Switch, "CancelCertify", func() error { return l.Ledger.CancelCertify(ctx, id, m) })
}

func (l FaultyLedger) Leave(ctx context.Context, leaving storage.Leaving) error {
	return do(l.Switch, "Leave", func() error { return l.Ledger.Leave(ctx, leaving) })
}

func (l FaultyLedger) TakeNumber(ctx context.Context, id certcopy.CopyID) (certcopy.Number, error) {
	return write(l.Switch, "TakeNumber", func() (certcopy.Number, error) { return l.Ledger.TakeNumber(ctx, id) })
}

func (l FaultyLedger) Generation(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole) (certcopy.Generation, error) {
	return write(l.Switch, "Generation", func() (certcopy.Generation, error) { return l.Ledger.Generation(ctx, id, role) })
}

func (l FaultyLedger) KillGeneration(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole, g certcopy.Generation, reason string) error {
	return do(l.Switch, "KillGeneration", func() error { return l.Ledger.KillGeneration(ctx, id, role, g, reason) })
}

// PutArtifact is the operation "PutArtifact", and one named by the kind: "PutArtifact cms".
func (l FaultyLedger) PutArtifact(ctx context.Context, k storage.ArtifactKey, b []byte) ([]byte, error) {
	return write(l.Switch, "PutArtifact", func() ([]byte, error) {
		return write(l.Switch, "PutArtifact "+string(k.Kind), func() ([]byte, error) { return l.Ledger.PutArtifact(ctx, k, b) })
	})
}

func (l FaultyLedger) Artifact(ctx context.Context, k storage.ArtifactKey) ([]byte, error) {
	return read(l.Switch, "Artifact", func() ([]byte, error) { return l.Ledger.Artifact(ctx, k) })
}

// Advance is the operation "Advance", and one named by the state: "Advance stamped".
func (l FaultyLedger) Advance(ctx context.Context, id certcopy.CopyID, from, to certcopy.State, file storage.FileRef) error {
	return do(l.Switch, "Advance", func() error {
		return do(l.Switch, "Advance "+string(to), func() error { return l.Ledger.Advance(ctx, id, from, to, file) })
	})
}

func (l FaultyLedger) File(ctx context.Context, id certcopy.CopyID, s certcopy.State) (storage.FileRef, error) {
	return read(l.Switch, "File", func() (storage.FileRef, error) { return l.Ledger.File(ctx, id, s) })
}

func (l FaultyLedger) ConfirmSeal(ctx context.Context, c storage.Confirmation) error {
	return do(l.Switch, "ConfirmSeal", func() error { return l.Ledger.ConfirmSeal(ctx, c) })
}

func (l FaultyLedger) PutFileKey(ctx context.Context, id certcopy.CopyID, wrapped []byte) ([]byte, error) {
	return write(l.Switch, "PutFileKey", func() ([]byte, error) { return l.Ledger.PutFileKey(ctx, id, wrapped) })
}

func (l FaultyLedger) FileKey(ctx context.Context, id certcopy.CopyID) ([]byte, error) {
	return read(l.Switch, "FileKey", func() ([]byte, error) { return l.Ledger.FileKey(ctx, id) })
}

func (l FaultyLedger) Register(ctx context.Context, id certcopy.CopyID, f certcopy.FinalFile, leaf storage.LeafMaker) (certcopy.LeafIndex, error) {
	return write(l.Switch, "Register", func() (certcopy.LeafIndex, error) { return l.Ledger.Register(ctx, id, f, leaf) })
}

func (l FaultyLedger) Void(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID, reason, text string, leaf storage.LeafMaker) (certcopy.LeafIndex, error) {
	return write(l.Switch, "Void", func() (certcopy.LeafIndex, error) { return l.Ledger.Void(ctx, id, by, reason, text, leaf) })
}

func (l FaultyLedger) Annul(ctx context.Context, id certcopy.CopyID, d certcopy.Decision, leaf storage.LeafMaker) (certcopy.LeafIndex, error) {
	return write(l.Switch, "Annul", func() (certcopy.LeafIndex, error) { return l.Ledger.Annul(ctx, id, d, leaf) })
}

func (l FaultyLedger) Publish(ctx context.Context, size int64, note []byte) ([]certcopy.CopyID, error) {
	return write(l.Switch, "Publish", func() ([]certcopy.CopyID, error) { return l.Ledger.Publish(ctx, size, note) })
}

func (l FaultyLedger) SetTrouble(ctx context.Context, id certcopy.CopyID, m certcopy.Message) error {
	return do(l.Switch, "SetTrouble", func() error { return l.Ledger.SetTrouble(ctx, id, m) })
}

func (l FaultyLedger) Copy(ctx context.Context, id certcopy.CopyID) (certcopy.Copy, error) {
	return read(l.Switch, "Copy", func() (certcopy.Copy, error) { return l.Ledger.Copy(ctx, id) })
}

type sized struct {
	size int64
	root certcopy.Digest
	note []byte
}

func (l FaultyLedger) Head(ctx context.Context) (int64, certcopy.Digest, error) {
	h, err := read(l.Switch, "Head", func() (h sized, err error) {
		h.size, h.root, err = l.Ledger.Head(ctx)
		return h, err
	})
	return h.size, h.root, err
}

func (l FaultyLedger) Checkpoint(ctx context.Context) (int64, []byte, error) {
	c, err := read(l.Switch, "Checkpoint", func() (c sized, err error) {
		c.size, c.note, err = l.Ledger.Checkpoint(ctx)
		return c, err
	})
	return c.size, c.note, err
}

func (l FaultyLedger) ReadHashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error) {
	return read(l.Switch, "ReadHashes", func() ([]certcopy.Digest, error) { return l.Ledger.ReadHashes(ctx, indexes) })
}
