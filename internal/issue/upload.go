package issue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/storage"
)

// Upload is one file as a clerk sends it.
type Upload struct {
	Name string
	Body io.Reader
}

// RefusedFile is an uploaded file that did not become pages, and why.
type RefusedFile struct {
	Name    string
	Message certcopy.Message
}

// UploadResult is the copy after an upload, with the files that were refused; the others
// were kept.
type UploadResult struct {
	Copy    certcopy.Copy
	Refused []RefusedFile
}

// Upload reads files into clean pages, adds those that can be read to the copy's scans, and
// makes its clean document anew. A file that is refused is named; the others are kept.
// revision is the one the clerk saw: storage.ErrConflict if the copy has changed since.
func (f *Flow) Upload(ctx context.Context, id certcopy.CopyID, revision int, files []Upload) (UploadResult, error) {
	c, err := f.editable(ctx, id, revision)
	if err != nil {
		return UploadResult{}, err
	}
	scans, err := f.Ledger.Scans(ctx, id)
	if err != nil {
		return UploadResult{}, err
	}
	taken, refused, err := f.takeScans(ctx, id, files)
	if err != nil || len(taken) == 0 {
		return UploadResult{Copy: c, Refused: refused}, err
	}
	c, err = f.arrange(ctx, c, append(scans, taken...))
	return UploadResult{Copy: c, Refused: refused}, err
}

// filesAtOnce are read side by side; how many of them are decoded at once is the reader's limit.
const filesAtOnce = 4

// takeScans reads and keeps uploads side by side, in their order; refused says which cannot be
// used.
func (f *Flow) takeScans(ctx context.Context, id certcopy.CopyID, files []Upload) (taken []certcopy.Scan, refused []RefusedFile, err error) {
	scans, wrong, errs := make([]certcopy.Scan, len(files)), make([][]RefusedFile, len(files)), make([]error, len(files))
	panics := make([]any, len(files)) // of one file: it must end this call, not the process
	free := make(chan struct{}, filesAtOnce)
	var wait sync.WaitGroup
	for i, file := range files {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { panics[i] = recover(); <-free }()
			scans[i], wrong[i], errs[i] = f.takeScan(ctx, id, file)
		})
	}
	wait.Wait()
	for i := range files {
		switch {
		case panics[i] != nil:
			panic(panics[i])
		case errs[i] != nil:
			return nil, nil, errs[i]
		case wrong[i] != nil:
			refused = append(refused, wrong[i]...)
		default:
			taken = append(taken, scans[i])
		}
	}
	return taken, refused, nil
}

// Arrange puts the copy's scans in the given order and drops those that are not in it.
func (f *Flow) Arrange(ctx context.Context, id certcopy.CopyID, revision int, order []certcopy.ScanID) (certcopy.Copy, error) {
	c, err := f.editable(ctx, id, revision)
	if err != nil {
		return c, err
	}
	scans, err := f.Ledger.Scans(ctx, id)
	if err != nil {
		return c, err
	}
	var arranged []certcopy.Scan
	for _, want := range order {
		i := slices.IndexFunc(scans, func(s certcopy.Scan) bool { return s.ID == want })
		if i < 0 || slices.ContainsFunc(arranged, func(s certcopy.Scan) bool { return s.ID == want }) {
			return c, fmt.Errorf("scan %s: %w", want, storage.ErrConflict)
		}
		arranged = append(arranged, scans[i])
	}
	return f.arrange(ctx, c, arranged)
}

// editable returns the copy if its scans may be changed and it is still as it was seen.
func (f *Flow) editable(ctx context.Context, id certcopy.CopyID, revision int) (certcopy.Copy, error) {
	c, err := f.Ledger.Copy(ctx, id)
	if err != nil {
		return c, err
	}
	if c.Revision != revision || c.State != certcopy.Received && c.State != certcopy.Scanned && c.State != certcopy.Returned {
		return c, fmt.Errorf("copy %s: %w", id, storage.ErrConflict)
	}
	return c, nil
}

// arrange records the list of scans and the clean document made of them. The document is made
// before anything is recorded: a refused combination leaves the copy as it was.
func (f *Flow) arrange(ctx context.Context, c certcopy.Copy, scans []certcopy.Scan) (certcopy.Copy, error) {
	for i := range scans {
		scans[i].Position = i + 1
	}
	clean, err := f.assemble(ctx, c.ID, scans)
	if err != nil {
		return c, err
	}
	if err := f.Ledger.SetScans(ctx, c.ID, c.Revision, scans); err != nil {
		return c, err
	}
	c, err = f.Ledger.Copy(ctx, c.ID)
	if err != nil || len(scans) == 0 {
		return c, err
	}
	if err := f.Ledger.SetClean(ctx, c.ID, c.Revision, clean); err != nil {
		return c, err
	}
	return f.Ledger.Copy(ctx, c.ID)
}

// assemble makes the clean document of scans and keeps it in the scratch store.
func (f *Flow) assemble(ctx context.Context, id certcopy.CopyID, scans []certcopy.Scan) (certcopy.CleanDocument, error) {
	if len(scans) == 0 {
		return certcopy.CleanDocument{}, nil
	}
	var results []*intake.Result
	for _, s := range scans {
		r, err := f.scanned(ctx, id, s.ID)
		if err != nil {
			return certcopy.CleanDocument{}, err
		}
		results = append(results, r)
	}
	spool, done, err := newSpool()
	if err != nil {
		return certcopy.CleanDocument{}, err
	}
	defer done()
	clean, err := intake.Assemble(spool, results...)
	if err == nil {
		_, err = spool.Seek(0, io.SeekStart)
	}
	if err != nil {
		return clean, err
	}
	err = f.Scratch.Create(ctx, cleanKey(id, clean.Digest), spool, clean.Size, clean.Digest, time.Time{})
	if errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrOutcomeUnknown) {
		_, err = f.cleanDocument(ctx, certcopy.Copy{ID: id, Clean: clean}) // the name holds the digest
	}
	return clean, err
}

// newSpool makes a file for what is too large to be held in memory; done removes it.
func newSpool() (spool *os.File, done func(), err error) {
	spool, err = os.CreateTemp("", "saoy-upload-*")
	if err != nil {
		return nil, nil, fmt.Errorf("spool: %w", err)
	}
	return spool, func() {
		_ = spool.Close() // its bytes are elsewhere, or given up
		_ = os.Remove(spool.Name())
	}, nil
}

// takeScan reads and keeps an upload; refused says why it cannot be used.
func (f *Flow) takeScan(ctx context.Context, id certcopy.CopyID, file Upload) (s certcopy.Scan, refused []RefusedFile, err error) {
	s, err = f.readScan(ctx, id, file)
	var wrong *certcopy.Error
	if errors.As(err, &wrong) && wrong.Code == certcopy.Invalid {
		return s, []RefusedFile{{Name: file.Name, Message: wrong.Message}}, nil
	}
	return s, nil, err
}

// readScan spools an upload, reads it in a confined child, and keeps its clean pages. What
// was uploaded is not kept: only what was understood of it.
func (f *Flow) readScan(ctx context.Context, id certcopy.CopyID, u Upload) (certcopy.Scan, error) {
	spool, done, err := newSpool()
	if err != nil {
		return certcopy.Scan{}, err
	}
	defer done()
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(spool, sum), io.LimitReader(u.Body, certcopy.MaxUploadBytes+1))
	if err == nil && size > certcopy.MaxUploadBytes {
		// Too large already; the rest is only counted, so that the refusal can tell the size.
		var rest int64
		rest, err = io.Copy(io.Discard, u.Body)
		size += rest
	}
	if err != nil {
		return certcopy.Scan{}, fmt.Errorf("receive %q: %w", u.Name, err)
	}
	result, err := f.Intake.Read(ctx, intake.Upload{Name: u.Name, Body: spool, Size: size})
	if err != nil {
		return certcopy.Scan{}, err
	}
	scan := certcopy.Scan{Copy: id, FileName: u.Name, Size: size, Digest: certcopy.Digest(sum.Sum(nil)), Pages: len(result.Pages)}
	return f.keepScan(ctx, scan, result)
}

func scanKey(id certcopy.CopyID, s certcopy.ScanID) string {
	return "scans/" + string(id) + "/" + string(s)
}

func (f *Flow) keepScan(ctx context.Context, s certcopy.Scan, r *intake.Result) (certcopy.Scan, error) {
	id, err := f.newID()
	if err != nil {
		return s, err
	}
	s.ID = certcopy.ScanID(id)
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err != nil {
		return s, err
	}
	return s, f.Scratch.Create(ctx, scanKey(s.Copy, s.ID), bytes.NewReader(b.Bytes()), int64(b.Len()), certcopy.DigestOf(b.Bytes()), time.Time{})
}

// scanned returns the clean pages of a scan.
func (f *Flow) scanned(ctx context.Context, id certcopy.CopyID, s certcopy.ScanID) (*intake.Result, error) {
	body, _, err := f.Scratch.Open(ctx, scanKey(id, s))
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", s, err)
	}
	defer body.Close()
	return intake.ReadResult(body)
}
