package disk

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// maxHeader bounds the line in front of an object: a key of 512 bytes and a few numbers.
const maxHeader = 1024

// header is that line, which ends in a tab and a check of what is before it.
type header struct {
	Format  int             `json:"saoy"` // 1
	Key     string          `json:"key"`
	Size    int64           `json:"size"`
	Digest  certcopy.Digest `json:"sha256"`
	Created time.Time       `json:"created"`
	Locked  time.Time       `json:"locked_till,omitzero"`
}

func (h header) info() storage.BlobInfo {
	return storage.BlobInfo{Key: h.Key, Size: h.Size, Digest: h.Digest, CreatedAt: h.Created, LockedTill: h.Locked}
}

// fits refuses a file that lies under another key or is shorter or longer than it says.
func (h header) fits(f *os.File, key string, skip int64) error {
	stat, err := f.Stat()
	if err != nil {
		return err
	}
	if h.Key != key {
		return fmt.Errorf("%w: it is the object %.80q", storage.ErrDamaged, h.Key)
	}
	if stat.Size() != skip+h.Size {
		return fmt.Errorf("%w: %d bytes of %d", storage.ErrDamaged, stat.Size()-skip, h.Size)
	}
	return nil
}

// readHeader reads the line and returns where the bytes begin.
func readHeader(r io.Reader) (h header, skip int64, err error) {
	line, err := bufio.NewReaderSize(io.LimitReader(r, maxHeader), maxHeader).ReadSlice('\n')
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return h, 0, err
	}
	description, check, _ := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte("\t"))
	if err != nil || string(check) != checkOf(description) || json.Unmarshal(description, &h) != nil || h.Format != 1 || h.Size < 0 {
		return h, 0, fmt.Errorf("%w: its description cannot be read", storage.ErrDamaged)
	}
	return h, int64(len(line)), nil
}

// checkOf lets damage of the line itself be seen: a lock's date must not change unnoticed.
func checkOf(description []byte) string {
	return certcopy.DigestOf(description).String()[:16]
}

// aside is a file that is not yet an object. Its lock says that its writer lives.
type aside struct{ *os.File }

func (a aside) discard() {
	_ = os.Remove(a.Name())
	_ = a.Close()
}

// newAside makes an empty file of this writer's. A sweep that came between the making of the
// file and its lock has taken it for a dead writer's; then another one is made.
func (s *Store) newAside() (aside, error) {
	for {
		f, err := os.OpenFile(filepath.Join(s.unfinished(), rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return aside{}, err
		}
		a := aside{f}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			if _, err = os.Lstat(f.Name()); err == nil {
				return a, nil
			}
		}
		a.discard()
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) && !errors.Is(err, fs.ErrNotExist) {
			return aside{}, err
		}
	}
}

// write writes an object aside and syncs it; a wrong size or digest leaves nothing behind.
func (s *Store) write(ctx context.Context, h header, r io.Reader) (a aside, err error) {
	a, err = s.newAside()
	if err != nil {
		return a, err
	}
	f := a.File
	defer func() {
		if err != nil {
			a.discard()
		}
	}()
	h.Format = 1
	line, err := json.Marshal(h)
	if err != nil {
		return a, err
	}
	if _, err := fmt.Fprintf(f, "%s\t%s\n", line, checkOf(line)); err != nil {
		return a, err
	}
	if err := copyExactly(ctx, f, r, h.Size, h.Digest); err != nil {
		return a, err
	}
	if err := f.Chmod(0o400); err != nil {
		return a, err
	}
	return a, f.Sync()
}

// copyExactly copies size bytes of digest want; anything else is an error.
func copyExactly(ctx context.Context, w io.Writer, r io.Reader, size int64, want certcopy.Digest) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(&interruptible{ctx, r}, size))
	if err != nil {
		return err
	}
	var one [1]byte
	if more, _ := io.ReadFull(r, one[:]); n != size || more != 0 {
		return mismatch(fmt.Errorf("not the %d bytes announced", size))
	}
	if got := certcopy.Digest(sum.Sum(nil)); got != want {
		return mismatch(fmt.Errorf("digest %s, not %s as announced", got, want))
	}
	return nil
}

func mismatch(err error) error {
	return certcopy.Errorf(certcopy.Invalid, "object", err, certcopy.Msg(
		"Dữ liệu nhận được không đúng như đã báo. Hãy gửi lại tệp.",
		"The bytes received are not those announced. Send the file again."))
}

// interruptible ends a long copy with its context.
type interruptible struct {
	ctx context.Context //nolint:containedctx // io.Reader has no place for it
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(p)
}

// reader checks the digest as it goes.
type reader struct {
	f    *os.File
	left int64
	sum  hash.Hash
	want certcopy.Digest
}

func newReader(f *os.File, info storage.BlobInfo) *reader {
	return &reader{f: f, left: info.Size, sum: sha256.New(), want: info.Digest}
}

// Read returns ErrDamaged in place of the end if the bytes are not those that were written.
func (r *reader) Read(p []byte) (int, error) {
	if r.left == 0 {
		if certcopy.Digest(r.sum.Sum(nil)) != r.want {
			return 0, fmt.Errorf("%w: the digest is not %s", storage.ErrDamaged, r.want)
		}
		return 0, io.EOF
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.f.Read(p)
	r.left -= int64(n)
	r.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && r.left > 0 { // cut short since it was opened
		err = fmt.Errorf("%w: %d bytes are missing", storage.ErrDamaged, r.left)
	}
	return n, ours(err)
}

// Close closes the file.
func (r *reader) Close() error { return r.f.Close() }

// sweep removes unfinished files whose writers are gone.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.unfinished())
	if err != nil {
		return err
	}
	for _, e := range entries {
		f, err := os.Open(filepath.Join(s.unfinished(), e.Name()))
		if err != nil {
			continue // finished meanwhile
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.Remove(f.Name())
		}
		_ = f.Close()
	}
	return nil
}
