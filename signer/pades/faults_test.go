package pades

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"testing"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pdf"
)

var (
	errDisk  = errors.New("disk full")
	errRead  = errors.New("input/output error")
	errToken = errors.New("token removed")
)

// brokenFile cannot be read from an offset on.
type brokenFile struct {
	io.ReaderAt
	from int64
}

func (f brokenFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > f.from {
		return 0, errRead
	}
	return f.ReaderAt.ReadAt(p, offset)
}

// fullDisk takes some bytes and then no more.
type fullDisk struct{ left int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if d.left -= len(p); d.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

type keyFunc func() ([]byte, error)

func (f keyFunc) Public() crypto.PublicKey { return official().Certificate.PublicKey }
func (f keyFunc) Sign(context.Context, []byte, crypto.SignerOpts) ([]byte, error) {
	return f()
}

type stamperFunc func(ctx context.Context) ([]byte, error)

func (f stamperFunc) TimeStamp(ctx context.Context, _ []byte, _ crypto.Hash) ([]byte, error) {
	return f(ctx)
}

func TestFaultsOfSign(t *testing.T) {
	base := document(t, "1.7", nil)
	good := bytes.NewReader(base)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	withKey := func(f keyFunc) signer.Identity { id := official(); id.Key = f; return id }
	small := options()
	small.ContentsSize = 200
	for _, c := range []struct {
		name string
		ctx  context.Context
		in   io.ReaderAt
		out  io.Writer
		id   signer.Identity
		o    Options
		m    Means
		want error
	}{
		{"disk full in the base", t.Context(), good, &fullDisk{100}, official(), options(), Means{}, errDisk},
		{"disk full in the signature", t.Context(), good, &fullDisk{len(base) + 10}, official(), options(), Means{}, errDisk},
		{"base cannot be read", t.Context(), brokenFile{good, 300}, io.Discard, official(), options(), Means{}, errRead},
		{"token pulled out", t.Context(), good, io.Discard, withKey(func() ([]byte, error) { return nil, errToken }), options(), Means{}, errToken},
		{"key lies", t.Context(), good, io.Discard, withKey(func() ([]byte, error) { return []byte("x"), nil }), options(), Means{}, signer.ErrKeyRefused},
		{"no key", t.Context(), good, io.Discard, signer.Identity{Certificate: official().Certificate}, options(), Means{}, ErrOptions},
		{"authority down", t.Context(), good, io.Discard, official(), options(), Means{TimeStamper: stamperFunc(func(context.Context) ([]byte, error) { return nil, signer.ErrUnavailable })}, signer.ErrUnavailable},
		{"cancelled while waiting", cancelled, good, io.Discard, official(), options(), Means{TimeStamper: stamperFunc(func(ctx context.Context) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() })}, context.Canceled},
		{"place too small", t.Context(), good, io.Discard, official(), small, Means{}, ErrTooLarge},
		{"B-T without authority", t.Context(), good, io.Discard, official(), options(), Means{Level: BT}, ErrLevel},
		{"B-LT without data", t.Context(), good, io.Discard, official(), options(), Means{Level: BLT, TimeStamper: pki()}, ErrLevel},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Sign(c.ctx, c.in, int64(len(base)), c.out, c.id, c.o, c.m); !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
		})
	}
}

// TestEveryShortFile: a file cut off anywhere is refused, or was not needed.
func TestEveryShortFile(t *testing.T) {
	base := document(t, "1.7", withForm(true, true))
	for n := range len(base) - 1 {
		var out bytes.Buffer
		_, err := Sign(t.Context(), bytes.NewReader(base[:n]), int64(n), &out, official(), options(), Means{})
		if !errors.Is(err, pdf.ErrDamaged) || out.Len() != 0 {
			t.Fatalf("cut off at %d of %d: error %v, %d bytes written", n, len(base), err, out.Len())
		}
	}
}

// TestLyingTimeStamp: a document time-stamp over another digest is not embedded.
func TestLyingTimeStamp(t *testing.T) {
	base := signed(t, document(t, "1.7", nil), official(), options(), Means{TimeStamper: pki()})
	lying := stamperFunc(func(ctx context.Context) ([]byte, error) {
		return pki().TimeStamp(ctx, make([]byte, 32), crypto.SHA256)
	})
	var out bytes.Buffer
	err := Extend(t.Context(), bytes.NewReader(base), int64(len(base)), &out, ExtendOptions{Level: BLTA, TimeStamper: lying, Collector: collector})
	if !errors.Is(err, ErrSignature) || out.Len() != 0 {
		t.Fatalf("error %v, %d bytes written", err, out.Len())
	}
}
