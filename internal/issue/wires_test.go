package issue_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/storage"
)

var store = far{storage.ErrUnavailable, storage.ErrOutcomeUnknown}
var token = far{signer.ErrUnavailable, signer.ErrUnavailable}

// faultyBlobs is a store at the other end of a line.
type faultyBlobs struct {
	inner storage.Blobs
	l     *line
	name  string
}

var _ storage.Blobs = faultyBlobs{}

func (b faultyBlobs) do(ctx context.Context, op string, changes bool, f func() error) error {
	_, err := over(ctx, b.l, b.name+"."+op, changes, store, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

func (b faultyBlobs) Create(ctx context.Context, key string, r io.Reader, size int64, d certcopy.Digest, till time.Time) error {
	return b.do(ctx, "Create", true, func() error { return b.inner.Create(ctx, key, r, size, d, till) })
}

func (b faultyBlobs) Open(ctx context.Context, key string) (r io.ReadCloser, i storage.BlobInfo, err error) {
	err = b.do(ctx, "Open", false, func() (err error) { r, i, err = b.inner.Open(ctx, key); return err })
	return r, i, err
}

func (b faultyBlobs) Stat(ctx context.Context, key string) (i storage.BlobInfo, err error) {
	err = b.do(ctx, "Stat", false, func() (err error) { i, err = b.inner.Stat(ctx, key); return err })
	return i, err
}

func (b faultyBlobs) Delete(ctx context.Context, key string) error {
	return b.do(ctx, "Delete", true, func() error { return b.inner.Delete(ctx, key) })
}

func (b faultyBlobs) List(ctx context.Context, prefix string) iter.Seq2[storage.BlobInfo, error] {
	return func(yield func(storage.BlobInfo, error) bool) {
		if err := b.do(ctx, "List", false, func() error { return nil }); err != nil {
			yield(storage.BlobInfo{}, err)
			return
		}
		b.inner.List(ctx, prefix)(yield)
	}
}

// keyring is issue.Keyring over the world's keys.
type keyring struct {
	w *world
	l *line
}

var _ issue.Keyring = keyring{}

func (k keyring) Certifier(ctx context.Context, _ certcopy.AccountID) (signer.Identity, error) {
	return k.open(ctx, certcopy.ByCertifier)
}

func (k keyring) Agency(ctx context.Context, _ certcopy.AgencyID) (signer.Identity, error) {
	return k.open(ctx, certcopy.ByAgency)
}

func (k keyring) open(ctx context.Context, role certcopy.SignatureRole) (signer.Identity, error) {
	return over(ctx, k.l, "keys."+string(role), false, token, func() (signer.Identity, error) {
		k.w.mu.Lock()
		defer k.w.mu.Unlock()
		id := k.w.certifier
		if role == certcopy.ByAgency {
			id = k.w.agency
		}
		if k.w.refuse[role] {
			return id, signer.ErrUnavailable
		}
		id.Key = writtenKey{id.Key, role, k.w, k.l}
		return signer.Guard(id, k.w.now)
	})
}

// writtenKey writes down what it signs, for which generation.
type writtenKey struct {
	signer.Key
	role certcopy.SignatureRole
	w    *world
	l    *line
}

func (k writtenKey) Sign(ctx context.Context, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return over(ctx, k.l, "sign."+string(k.role), true, token, func() ([]byte, error) {
		k.w.mu.Lock()
		id := k.w.current
		k.w.mu.Unlock()
		g, err := k.w.store.Generation(ctx, id, k.role)
		if err != nil {
			return nil, err
		}
		k.w.mu.Lock()
		u := use{id, k.role, g}
		if k.w.signed[u] == nil {
			k.w.signed[u] = map[string]bool{}
		}
		k.w.signed[u][string(digest)] = true
		k.w.mu.Unlock()
		return k.Key.Sign(ctx, digest, o)
	})
}

// faultyTransport is the network to the authority.
type faultyTransport struct {
	inner http.RoundTripper
	l     *line
}

func (n faultyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	stamps := r.URL.Path == "/tsa"
	lostReply := far{errConnection, io.ErrUnexpectedEOF}
	return over(r.Context(), n.l, "http"+r.URL.Path, stamps, lostReply, func() (*http.Response, error) { return n.inner.RoundTrip(r) })
}

type faultyExaminer struct {
	inner issue.Examiner
	l     *line
}

func (e faultyExaminer) Examine(ctx context.Context, file []byte, at time.Time) (string, error) {
	return over(ctx, e.l, "examine", false, far{down: errors.New("examiner: killed")}, func() (string, error) { return e.inner.Examine(ctx, file, at) })
}

type faultyLooks struct {
	inner issue.Looks
	l     *line
}

func (k faultyLooks) Signature(ctx context.Context, a certcopy.AccountID) ([]byte, error) {
	return over(ctx, k.l, "looks.Signature", false, store, func() ([]byte, error) { return k.inner.Signature(ctx, a) })
}

func (k faultyLooks) Seal(ctx context.Context, a certcopy.AgencyID) ([]byte, error) {
	return over(ctx, k.l, "looks.Seal", false, store, func() ([]byte, error) { return k.inner.Seal(ctx, a) })
}

type faultyReader struct {
	inner issue.Reader
	l     *line
}

func (r faultyReader) Read(ctx context.Context, u intake.Upload) (*intake.Result, error) {
	return over(ctx, r.l, "intake", false, far{down: errors.New("child: cannot start")}, func() (*intake.Result, error) { return r.inner.Read(ctx, u) })
}

func (r faultyReader) Edit(ctx context.Context, p intake.Page, e intake.Edit) (intake.Page, error) {
	return over(ctx, r.l, "edit", false, far{down: errors.New("child: cannot start")}, func() (intake.Page, error) { return r.inner.Edit(ctx, p, e) })
}

type faultyRenderer struct {
	inner issue.Renderer
	l     *line
}

func (r faultyRenderer) Page(ctx context.Context, pdf []byte, page, widthPx int) ([]byte, error) {
	return over(ctx, r.l, "render", false, far{down: errors.New("child: cannot start")}, func() ([]byte, error) { return r.inner.Page(ctx, pdf, page, widthPx) })
}
