package backup

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// maxChunkBytes bounds what is read back as one piece: the largest intermediate file, with
// what encryption adds.
const maxChunkBytes = 1 << 30

// pool keeps pieces under their digests, so that what an earlier backup stored is not stored
// again. Pieces that are encrypted lie apart for each set of recipients.
type pool struct {
	dest       storage.Blobs
	recipients []age.Recipient
	identities []age.Identity
	sealed     string // prefix of encrypted pieces; "" if there are no recipients
}

// plainPrefix is where pieces lie that are in clear, or were encrypted before they came here.
const plainPrefix = "object/"

func newPool(dest storage.Blobs, names []string, recipients []age.Recipient, identities []age.Identity) *pool {
	p := &pool{dest: dest, recipients: recipients, identities: identities}
	if len(names) > 0 {
		d := sha256.Sum256([]byte(strings.Join(names, "\n")))
		p.sealed = fmt.Sprintf("sealed-%x/", d[:8])
	}
	return p
}

func (p *pool) key(seal bool, d certcopy.Digest) string {
	prefix := plainPrefix
	if seal && p.sealed != "" {
		prefix = p.sealed
	}
	hex := d.String()
	return prefix + hex[:2] + "/" + hex
}

// put stores a piece unless it is there.
func (p *pool) put(ctx context.Context, b []byte) (Chunk, error) {
	c := Chunk{Digest: certcopy.DigestOf(b), Size: int64(len(b))}
	key := p.key(true, c.Digest)
	if there, err := p.has(ctx, key); there || err != nil {
		return c, err
	}
	stored, err := p.seal(b)
	if err != nil {
		return c, err
	}
	return c, p.create(ctx, key, bytes.NewReader(stored), int64(len(stored)), certcopy.DigestOf(stored))
}

func (p *pool) has(ctx context.Context, key string) (bool, error) {
	_, err := p.dest.Stat(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// create stores an object; somebody who was faster stored the same.
func (p *pool) create(ctx context.Context, key string, r io.Reader, size int64, d certcopy.Digest) error {
	err := p.dest.Create(ctx, key, r, size, d, time.Time{})
	if errors.Is(err, storage.ErrOutcomeUnknown) {
		_, err = p.dest.Stat(ctx, key)
	}
	if errors.Is(err, storage.ErrExists) {
		return nil
	}
	return err
}

func (p *pool) seal(b []byte) ([]byte, error) {
	if p.sealed == "" {
		return b, nil
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, p.recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	if _, err := w.Write(b); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	err = w.Close()
	return out.Bytes(), err
}

// open returns the plain bytes of a piece; reading to the end fails with storage.ErrDamaged
// if they are not those of the digest.
func (p *pool) open(ctx context.Context, seal bool, d certcopy.Digest, size int64) ([]byte, error) {
	body, _, err := p.dest.Open(ctx, p.key(seal, d))
	if err != nil {
		return nil, fmt.Errorf("piece %s: %w", d, err)
	}
	defer body.Close()
	var plain io.Reader = body
	if seal && p.sealed != "" {
		if len(p.identities) == 0 {
			return nil, noIdentity(nil)
		}
		if plain, err = age.Decrypt(body, p.identities...); err != nil {
			return nil, noIdentity(err)
		}
	}
	b, err := io.ReadAll(io.LimitReader(plain, maxChunkBytes))
	if err != nil {
		return nil, fmt.Errorf("piece %s: %w", d, err)
	}
	if int64(len(b)) != size || certcopy.DigestOf(b) != d {
		return nil, fmt.Errorf("piece %s: %w", d, storage.ErrDamaged)
	}
	return b, nil
}

func noIdentity(err error) error {
	return certcopy.Errorf(certcopy.Invalid, "identity", err, certcopy.Msg(
		"Bản sao lưu được mã hóa. Hãy đưa tệp khóa giải mã bằng --identity (khóa AGE-SECRET-KEY-… ứng với --recipient khi sao lưu).",
		"The backup is encrypted. Give the file of the key with --identity (the AGE-SECRET-KEY-… of --recipient when it was made)."))
}

// chunkBytes is how many bytes of a stream become one piece, before compression.
const chunkBytes = 8 << 20

// streamWriter cuts what is written to it at ends of lines into pieces of the pool: rows that
// are only ever appended give the same pieces again in the next backup.
type streamWriter struct {
	ctx    context.Context //nolint:containedctx // io.Writer has no place for it
	pool   *pool
	buffer []byte
	stream Stream
}

// Write implements io.Writer.
func (w *streamWriter) Write(b []byte) (int, error) {
	w.buffer = append(w.buffer, b...)
	for len(w.buffer) >= chunkBytes {
		end := bytes.LastIndexByte(w.buffer[:chunkBytes], '\n') + 1
		if end == 0 {
			if end = bytes.IndexByte(w.buffer, '\n') + 1; end == 0 {
				break // a line that is longer than a piece
			}
		}
		if err := w.cut(end); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// close stores what is left and returns the stream.
func (w *streamWriter) close() (Stream, error) {
	err := w.cut(len(w.buffer))
	return w.stream, err
}

func (w *streamWriter) cut(end int) error {
	if end == 0 {
		return nil
	}
	packed, err := compress(w.buffer[:end])
	if err != nil {
		return err
	}
	chunk, err := w.pool.put(w.ctx, packed)
	if err != nil {
		return err
	}
	w.stream.Chunks = append(w.stream.Chunks, chunk)
	w.buffer = append(w.buffer[:0], w.buffer[end:]...)
	return nil
}

// compress gives the same bytes for the same bytes.
func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}

// streamReader reads a stream piece by piece.
type streamReader struct {
	ctx    context.Context //nolint:containedctx // io.Reader has no place for it
	pool   *pool
	chunks []Chunk
	piece  *gzip.Reader
}

// Read implements io.Reader.
func (r *streamReader) Read(b []byte) (int, error) {
	for {
		if r.piece == nil {
			if len(r.chunks) == 0 {
				return 0, io.EOF
			}
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.piece.Read(b)
		if errors.Is(err, io.EOF) {
			r.piece, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (r *streamReader) next() error {
	packed, err := r.pool.open(r.ctx, true, r.chunks[0].Digest, r.chunks[0].Size)
	if err != nil {
		return err
	}
	r.chunks = r.chunks[1:]
	if r.piece, err = gzip.NewReader(bytes.NewReader(packed)); err != nil {
		return fmt.Errorf("%w: %w", storage.ErrDamaged, err)
	}
	return nil
}
