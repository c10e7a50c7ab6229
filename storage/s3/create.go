package s3

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

const (
	checksumHeader = "x-amz-checksum-sha256"
	metaKey        = "X-Amz-Meta-Saoy-Key"
	metaSize       = "X-Amz-Meta-Saoy-Size"
	metaDigest     = "X-Amz-Meta-Saoy-Sha256"

	// lookFirst is the size from which it is worth a request to learn that a key is taken
	// before sending the bytes. In bytes.
	lookFirst = 1 << 20
)

// Create stores an object of at most 5 GiB, see storage.Blobs. The lock ends at lockedTill,
// rounded up to a second; a date that has passed is no lock.
//
// ErrOutcomeUnknown if all bytes were sent and no answer of the store came back; before the
// last of them the store cannot have made anything, and the error is ErrUnavailable.
func (s *Store) Create(ctx context.Context, key string, r io.Reader, size int64, digest certcopy.Digest, lockedTill time.Time) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	if s.scratch && !lockedTill.IsZero() {
		return fmt.Errorf("create %s: a scratch store locks nothing", key)
	}
	if size >= lookFirst { // spares the sending; the conditional put decides
		if _, err := s.Stat(ctx, key); err == nil || errors.Is(err, storage.ErrDamaged) {
			return fmt.Errorf("create %s: %w", key, storage.ErrExists)
		}
	}
	if err := s.put(ctx, key, r, size, digest, lockedTill); err != nil {
		return fmt.Errorf("create %s: %w", key, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, key string, r io.Reader, size int64, digest certcopy.Digest, lockedTill time.Time) error {
	body := &source{r: r, left: size, sum: sha256.New(), want: digest}
	if err := body.refuseEmpty(); err != nil {
		return err
	}
	defer body.stop()
	ctx, sent := traced(ctx)
	info, err := s.client.PutObject(ctx, s.bucket, s.name(key), body, size, "", digest.String(), s.options(key, size, digest, lockedTill))
	whole, wrong := body.stop()
	switch r, _ := response(err); {
	case wrong != nil:
		return wrong
	case err == nil && info.ChecksumSHA256 != "" && info.ChecksumSHA256 != checksum(digest):
		return fmt.Errorf("%w: the store has %s", storage.ErrDamaged, info.ChecksumSHA256)
	case err == nil:
		return nil
	case r.StatusCode == http.StatusPreconditionFailed:
		return storage.ErrExists
	case r.StatusCode == http.StatusConflict: // another writer of this key was at it
		return s.lost(ctx, key)
	}
	return s.writeFailed(ctx, err, whole && sent.Load())
}

// lost is asked when two writers met and the store refused ours.
func (s *Store) lost(ctx context.Context, key string) error {
	_, err := s.Stat(ctx, key)
	if err == nil || errors.Is(err, storage.ErrDamaged) {
		return storage.ErrExists
	}
	return fmt.Errorf("%w: two writers met: %v", storage.ErrUnavailable, err)
}

// options are the headers that make the put conditional, checked, described and locked.
func (s *Store) options(key string, size int64, digest certcopy.Digest, lockedTill time.Time) minio.PutObjectOptions {
	o := minio.PutObjectOptions{
		DisableMultipart:     true, // a multipart upload is not conditional
		DisableContentSha256: true, // the digest is known: the body is signed whole, not in chunks
		ContentType:          "application/octet-stream",
		UserMetadata: map[string]string{
			checksumHeader: checksum(digest),
			metaKey:        key, metaSize: strconv.FormatInt(size, 10), metaDigest: digest.String(),
		},
	}
	o.SetMatchETagExcept("*")
	if s.now().Before(lockedTill) {
		o.Mode, o.RetainUntilDate = minio.Compliance, lockedTill.Add(time.Second-1).Truncate(time.Second)
	}
	return o
}

func checksum(d certcopy.Digest) string { return base64.StdEncoding.EncodeToString(d[:]) }

// traced lets the request tell whether any of it left.
func traced(ctx context.Context) (context.Context, *atomic.Bool) {
	sent := new(atomic.Bool)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}), sent
}

// source gives the store's last bytes only after it has seen that all are as announced, so
// that a wrong body is never complete.
type source struct {
	mu    sync.Mutex // the driver may still read when its call has returned
	r     io.Reader
	left  int64
	sum   hash.Hash
	want  certcopy.Digest
	whole bool // the last bytes were given
	err   error
}

var errStopped = errors.New("the request is over")

// Read reads from the object's reader until its announced size.
func (b *source) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.sum.Write(p[:n])
	b.left -= int64(n)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		b.err = err
	case b.left == 0:
		b.err = b.check()
	case err != nil:
		b.err = mismatch(fmt.Errorf("%d bytes are missing", b.left))
	}
	if b.err != nil {
		return 0, b.err
	}
	b.whole = b.left == 0
	return n, nil
}

// refuseEmpty checks a body without bytes, which the driver does not read.
func (b *source) refuseEmpty() error {
	if b.left > 0 {
		return nil
	}
	b.whole = true
	return b.check()
}

// check is asked after the announced size.
func (b *source) check() error {
	var one [1]byte
	if n, _ := io.ReadFull(b.r, one[:]); n != 0 || b.left < 0 {
		return mismatch(errors.New("not of the size announced"))
	}
	if got := certcopy.Digest(b.sum.Sum(nil)); got != b.want {
		return mismatch(fmt.Errorf("digest %s, not %s as announced", got, b.want))
	}
	return nil
}

// stop ends the reading. It returns whether all bytes were given, and what was wrong with them.
func (b *source) stop() (whole bool, wrong error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wrong = b.err; wrong == nil || errors.Is(wrong, errStopped) {
		b.err, wrong = errStopped, nil
	}
	return b.whole, wrong
}

func mismatch(err error) error {
	return certcopy.Errorf(certcopy.Invalid, "object", err, certcopy.Msg(
		"Dữ liệu nhận được không đúng như đã báo. Hãy gửi lại tệp.",
		"The bytes received are not those announced. Send the file again."))
}
