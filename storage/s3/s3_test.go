package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/s3"
	"github.com/saoy/saoy/storage/s3/s3test"
	"github.com/saoy/saoy/storage/storagetest"
)

func open(t testing.TB, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// vault opens an empty store with object lock.
func vault(t testing.TB) (*s3.Store, *s3test.Server, s3.Config) {
	t.Helper()
	server := s3test.Shared(t)
	c := server.Config(server.Bucket(t, true))
	return open(t, c), server, c
}

func create(t testing.TB, s *s3.Store, key, body string, till time.Time) {
	t.Helper()
	if err := put(t, s, key, body, till); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s storage.Blobs, key, body string, till time.Time) error {
	return s.Create(t.Context(), key, strings.NewReader(body), int64(len(body)), certcopy.DigestOf([]byte(body)), till)
}

func read(t testing.TB, s storage.Blobs, key string) (string, error) {
	t.Helper()
	r, _, err := s.Open(t.Context(), key)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

func TestContract(t *testing.T) {
	storagetest.BlobsSuite(t, func(t testing.TB) storage.Blobs { s, _, _ := vault(t); return s })
}

func TestContractOverTLS(t *testing.T) {
	server, _ := s3test.StartTLS(t, t.TempDir())
	storagetest.BlobsSuite(t, func(t testing.TB) storage.Blobs { return open(t, server.Config(server.Bucket(t, true))) })
	c := server.Config(server.Bucket(t, true))
	c.CAFile = ""
	if _, err := s3.Open(t.Context(), c); !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a server with a certificate of its own making: %v", err)
	}
}

func TestContractBelowAPrefix(t *testing.T) {
	_, server, c := vault(t)
	other := open(t, c)
	create(t, other, "a/b", "a neighbour's", time.Time{})
	storagetest.BlobsSuite(t, func(t testing.TB) storage.Blobs {
		c := server.Config(server.Bucket(t, true))
		c.Prefix = "tinh/an-tuong"
		return open(t, c)
	})
}

// A lock ends at its date; until then nobody destroys the version, not even by the store's own
// commands, and a delete marker can be lifted again.
func TestLockedVersionCannotBeDestroyed(t *testing.T) {
	t.Parallel()
	s, server, c := vault(t)
	till := time.Now().Add(3 * time.Second)
	create(t, s, "k", "kept", till)
	admin := server.Client()
	for o := range admin.ListObjectsIter(t.Context(), c.Bucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		for _, bypass := range []bool{false, true} {
			if err := admin.RemoveObject(t.Context(), c.Bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID, GovernanceBypass: bypass}); err == nil {
				t.Errorf("destroyed, bypass %v", bypass)
			}
		}
	}
	if err := s.Delete(t.Context(), "k"); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("delete: %v", err)
	}
	if got, err := read(t, s, "k"); got != "kept" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	time.Sleep(time.Until(till) + 1500*time.Millisecond)
	if err := s.Delete(t.Context(), "k"); err != nil {
		t.Errorf("after its date: %v", err)
	}
	if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after delete: %v", err)
	}
}

// An administrator's delete marker hides an object. Delete still refuses while what it hides is
// locked.
func TestHiddenLockedVersion(t *testing.T) {
	s, server, c := vault(t)
	create(t, s, "k", "kept", time.Now().Add(time.Hour))
	if err := server.Client().RemoveObject(t.Context(), c.Bucket, "k!", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("stat: %v", err)
	}
	if err := s.Delete(t.Context(), "k"); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("delete: %v", err)
	}
}

// Delete leaves no version behind, also none written by others.
func TestDeleteRemovesEveryVersion(t *testing.T) {
	for _, scratch := range []bool{false, true} {
		server := s3test.Shared(t)
		c := server.Config(server.Bucket(t, true))
		c.Scratch = scratch
		s := open(t, c)
		create(t, s, "k", "first", time.Time{})
		create(t, s, "k/below", "another", time.Time{})
		admin := server.Client()
		for _, body := range []string{"second", "third"} {
			if _, err := admin.PutObject(t.Context(), c.Bucket, "k!", strings.NewReader(body), int64(len(body)), minio.PutObjectOptions{DisableMultipart: true}); err != nil {
				t.Fatal(err)
			}
		}
		if err := admin.RemoveObject(t.Context(), c.Bucket, "k!", minio.RemoveObjectOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		var left []string
		for o := range admin.ListObjectsIter(t.Context(), c.Bucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
			left = append(left, o.Key)
		}
		if len(left) != 1 || left[0] != "k/below!" {
			t.Errorf("scratch %v: left %q", scratch, left)
		}
	}
}

func TestLegalHold(t *testing.T) {
	s, _, _ := vault(t)
	create(t, s, "k", "x", time.Time{})
	if err := s.Hold(t.Context(), "k", true); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "k"); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("held: %v", err)
	}
	if err := s.Hold(t.Context(), "k", false); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "k"); err != nil {
		t.Errorf("lifted: %v", err)
	}
	if err := s.Hold(t.Context(), "none", true); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("absent: %v", err)
	}
}

// The scratch store needs no object lock and works without versions.
func TestScratch(t *testing.T) {
	server := s3test.Shared(t)
	c := server.Config(server.Bucket(t, false))
	c.Scratch = true
	s := open(t, c)
	create(t, s, "k", "x", time.Time{})
	if err := put(t, s, "k", "y", time.Time{}); !errors.Is(err, storage.ErrExists) {
		t.Errorf("again: %v", err)
	}
	if err := put(t, s, "l", "y", time.Now().Add(time.Hour)); err == nil {
		t.Error("locked in scratch")
	}
	for range 2 {
		if err := s.Delete(t.Context(), "k"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := s.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("stat: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	server := s3test.Shared(t)
	bucket := server.Bucket(t, true)
	for name, c := range map[string]struct {
		change func(c *s3.Config)
		code   certcopy.Code
		says   string
	}{
		"no object lock": {func(c *s3.Config) { c.Bucket = server.Bucket(t, false) }, certcopy.Invalid, "object lock"},
		"no bucket":      {func(c *s3.Config) { c.Bucket = "absent-bucket" }, certcopy.Unavailable, "no such bucket"},
		"wrong secret":   {func(c *s3.Config) { c.Credentials = s3.Keys{ID: s3test.Keys.ID, Secret: "wrong"} }, certcopy.Unavailable, "refuses"},
		"unknown key":    {func(c *s3.Config) { c.Credentials = s3.Keys{ID: "nobody", Secret: "wrong"} }, certcopy.Unavailable, "refuses"},
		"plain http":     {func(c *s3.Config) { c.Endpoint = "http://s3.example.vn" }, certcopy.Invalid, "https"},
		"no endpoint":    {func(c *s3.Config) { c.Endpoint = "s3.example.vn" }, certcopy.Invalid, "https"},
		"no CA file":     {func(c *s3.Config) { c.CAFile = "/nonexistent" }, certcopy.Invalid, "certificate file"},
		"prefix":         {func(c *s3.Config) { c.Prefix = "../x" }, certcopy.Invalid, "key"},
	} {
		config := server.Config(bucket)
		c.change(&config)
		_, err := s3.Open(t.Context(), config)
		if certcopy.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) || certcopy.MessageOf(err).VI == "" {
			t.Errorf("%s: %v (%s)", name, err, certcopy.CodeOf(err))
		}
		if c.code == certcopy.Unavailable && !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%s: %v is not unavailable", name, err)
		}
	}
}

// A bucket that goes away does not turn its objects into objects that never were.
func TestBucketGone(t *testing.T) {
	s, server, c := vault(t)
	if err := server.Client().RemoveBucket(t.Context(), c.Bucket); err != nil {
		t.Fatal(err)
	}
	_, err := s.Stat(t.Context(), "k")
	_, openErr := read(t, s, "k")
	listErr := error(nil)
	for _, err := range s.List(t.Context(), "") {
		listErr = err
	}
	for op, err := range map[string]error{"stat": err, "open": openErr, "create": put(t, s, "k", "x", time.Time{}), "delete": s.Delete(t.Context(), "k"), "list": listErr} {
		if !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// What is stored but not as it was written is found, named, and left where it is.
func TestDamageIsFound(t *testing.T) {
	s, server, c := vault(t)
	admin := server.Client()
	for _, key := range []string{"a", "bytes", "cut", "swapped", "z"} {
		create(t, s, key, "the bytes of "+key, time.Time{})
	}
	file := func(key string) string { return server.Dir + "/objects/" + c.Bucket + "/" + key + "!" }
	if err := errors.Join(overwrite(file("bytes"), "the Bytes of bytes"), os.Truncate(file("cut"), 5)); err != nil {
		t.Fatal(err)
	}
	if err := admin.RemoveObject(t.Context(), c.Bucket, "swapped!", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	a, err := admin.StatObject(t.Context(), c.Bucket, "a!", minio.StatObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.PutObject(t.Context(), c.Bucket, "swapped!", strings.NewReader("the bytes of a"), 14, minio.PutObjectOptions{DisableMultipart: true, UserMetadata: a.UserMetadata}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.PutObject(t.Context(), c.Bucket, "foreign!", bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{DisableMultipart: true}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"bytes", "cut", "swapped", "foreign"} {
		if _, err := read(t, s, key); !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: %v", key, err)
		}
		if err := put(t, s, key, "x", time.Time{}); !errors.Is(err, storage.ErrExists) {
			t.Errorf("create over %s: %v", key, err)
		}
	}
	var seen []string
	for info, err := range s.List(t.Context(), "") {
		if damaged := info.Key != "a" && info.Key != "z" && info.Key != "bytes"; damaged != errors.Is(err, storage.ErrDamaged) {
			t.Errorf("listed %+v, %v", info, err)
		}
		seen = append(seen, info.Key)
	}
	if got := strings.Join(seen, " "); got != "a bytes cut foreign swapped z" {
		t.Errorf("listed %s", got)
	}
}

// overwrite changes bytes in place, so that the file keeps its attributes.
func overwrite(path, body string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(body)
	return errors.Join(err, f.Close())
}

func BenchmarkCreate1MiB(b *testing.B) {
	s, _, _ := vault(b)
	body := bytes.Repeat([]byte("x"), 1<<20)
	d := certcopy.DigestOf(body)
	b.SetBytes(1 << 20)
	for i := range b.N {
		if err := s.Create(b.Context(), fmt.Sprintf("k/%d", i), bytes.NewReader(body), 1<<20, d, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}
