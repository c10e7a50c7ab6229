package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Probes of what every store of the product must do.

func (p *prober) reach(ctx context.Context) (string, error) {
	v, err := p.client.GetBucketVersioning(ctx, p.bucket)
	if err != nil {
		return "", p.readFailed(ctx, err)
	}
	p.versioned = v.Status != ""
	return p.client.EndpointURL().String() + " " + p.bucket, nil
}

func (p *prober) wrongKeys(ctx context.Context) (string, error) {
	k, err := p.config.Credentials.Keys()
	if err != nil {
		return "", err
	}
	k.Secret += "x"
	c := p.config
	c.Credentials = k
	stranger, err := connect(c)
	if err != nil {
		return "", err
	}
	defer stranger.Close()
	_, err = stranger.client.GetBucketVersioning(ctx, p.bucket)
	return "", refusal(err, "request with a wrong secret")
}

const maxSkew = time.Minute

// clock reads the Date header of an answer. Its second has been cut off.
func (p *prober) clock(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.client.EndpointURL().String(), nil)
	if err != nil {
		return "", err
	}
	before := p.now()
	answer, err := p.http.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	theirs, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return "", fmt.Errorf("the store does not tell its time: %w", err)
	}
	skew := theirs.Sub(before.Truncate(time.Second))
	if skew.Abs() > maxSkew {
		return "", fmt.Errorf("the store is %s ahead of this machine", skew)
	}
	return skew.String(), nil
}

func (p *prober) missing(ctx context.Context) (string, error) {
	if _, _, err := p.Open(ctx, "absent"); !errors.Is(err, storage.ErrNotFound) {
		return "", fmt.Errorf("read: %v", err)
	}
	return "", p.wantAbsent(ctx, "absent")
}

func (p *prober) roundTrip(ctx context.Context) (string, error) {
	body := strings.Repeat("Ân Tường Đông\n", 100_000)
	if err := p.create(ctx, "whole", body, time.Time{}); err != nil {
		return "", err
	}
	r, _, err := p.Open(ctx, "whole")
	if err != nil {
		return "", err
	}
	read, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return "", err
	}
	if string(read) != body {
		return "", errors.New("other bytes came back")
	}
	o, err := p.client.StatObject(ctx, p.bucket, p.name("whole"), minio.StatObjectOptions{Checksum: true})
	if err != nil {
		return "", err
	}
	if sum := o.Headers.Get(checksumHeader); sum != checksum(certcopy.DigestOf(read)) {
		return "", fmt.Errorf("the store's own SHA-256 is %q", sum)
	}
	return fmt.Sprintf("%d bytes", len(read)), nil
}

func (p *prober) race(ctx context.Context) (string, error) {
	const writers = 20
	results := make([]error, writers)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			<-begin
			results[i] = p.create(ctx, "race", strings.Repeat(fmt.Sprintf("writer %02d\n", i), 5000), time.Time{})
		})
	}
	close(begin)
	wg.Wait()
	won, lost := 0, 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case errors.Is(err, storage.ErrExists):
			lost++
		}
	}
	if won != 1 || lost != writers-1 {
		return "", fmt.Errorf("%d won, %d were told so, the others: %v", won, lost, errors.Join(results...))
	}
	return "1 / 20", nil
}

// checksums sends bytes whose checksum header is wrong, then bytes that are not those signed.
func (p *prober) checksums(ctx context.Context) (string, error) {
	body, other := []byte("the bytes"), certcopy.DigestOf([]byte("other bytes"))
	right := certcopy.DigestOf(body)
	for key, c := range map[string]struct{ signed, header certcopy.Digest }{
		"checksum-header": {right, other}, "checksum-signed": {other, right},
	} {
		o := p.options(key, int64(len(body)), c.header, time.Time{})
		_, err := p.client.PutObject(ctx, p.bucket, p.name(key), bytes.NewReader(body), int64(len(body)), "", c.signed.String(), o)
		if err := errors.Join(refusal(err, key), p.wantAbsent(ctx, key)); err != nil {
			return "", err
		}
	}
	return "", nil
}

func (p *prober) cutUpload(ctx context.Context) (string, error) {
	half := io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), &failing{})
	err := p.Create(ctx, "cut", half, 200_000, certcopy.DigestOf([]byte(strings.Repeat("x", 200_000))), time.Time{})
	if !errors.Is(err, errCut) {
		return "", fmt.Errorf("the cut upload: %v", err)
	}
	return "", p.wantAbsent(ctx, "cut")
}

var errCut = errors.New("cut")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

func (p *prober) order(ctx context.Context) (string, error) {
	want := []string{"order/a", "order/a-b", "order/a.b", "order/a/b", "order/a/b/c", "order/a/b0", "order/a0", "order/b/1", "order/b/10", "order/b/2"}
	for _, i := range []int{5, 3, 8, 0, 2, 7, 1, 9, 4, 6} {
		if err := p.create(ctx, want[i], want[i], time.Time{}); err != nil {
			return "", err
		}
	}
	var got []string
	for info, err := range p.List(ctx, "order/") {
		if err != nil {
			return "", err
		}
		got = append(got, info.Key)
	}
	if !slices.Equal(got, want) {
		return "", fmt.Errorf("listed %q", got)
	}
	return fmt.Sprintf("%d", len(got)), nil
}

func (p *prober) deletes(ctx context.Context) (string, error) {
	if err := errors.Join(p.create(ctx, "gone", "x", time.Time{}), p.Delete(ctx, "gone")); err != nil {
		return "", err
	}
	if p.versioned {
		if left, err := p.versions(ctx, "gone"); err != nil || len(left) > 0 {
			return "", fmt.Errorf("%d versions are left: %v", len(left), err)
		}
	}
	return "", errors.Join(p.wantAbsent(ctx, "gone"), p.create(ctx, "gone", "y", time.Time{}))
}
