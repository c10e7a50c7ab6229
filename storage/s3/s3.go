// Package s3 is Blobs in a bucket of an S3-compatible object store.
//
// The object of key "a/b" is PREFIX/a/b! in the bucket. "!" never occurs in keys and sorts
// before all that does, so "a" and "a/b" both exist on stores that keep objects as files, and
// the bucket's order is the order of keys. Its metadata repeat its key, size and digest; a
// copy of it under another name is seen to be one.
//
// An object is made by one conditional PUT (RFC 9110 §13.1.2, If-None-Match: *) whose body is
// signed by its digest: it exists whole or not at all, and of several writers exactly one
// wins. No request is repeated here: a repeated PUT whose first reply was lost would be told
// that the key is taken, by itself.
//
// A vault's bucket has versioning and object lock; locks are in compliance mode, which not even
// the store's administrator can lift before their date. What a store must be able to do is
// tried by Probe.
package s3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Config says which bucket, and how to reach it.
type Config struct {
	// Endpoint is the store's address, "https://s3.example.vn". Plain http is refused except on
	// this machine: who listens could not change an object, but could repeat a request.
	Endpoint string
	// Region of the signatures; default us-east-1, which most stores of one's own accept.
	Region string
	// Bucket must exist. Who controls it can withhold objects, not read or change them unseen.
	Bucket string
	// Prefix is put before all keys; it is itself like a key. May be empty.
	Prefix string
	// Credentials are asked before every request.
	Credentials Credentials
	// CAFile holds the certificates (PEM) to trust in place of the system's; may be empty.
	CAFile string
	// Scratch says that objects are never locked: Open then asks for no object lock, and Create
	// refuses a date.
	Scratch bool
	// Timeout bounds each wait for the store: to connect, for a reply, for it to take or send
	// more bytes. It does not bound a long transfer that goes on. Default 30 s.
	Timeout time.Duration
	// Now is the clock that decides whether a lock has run out.
	Now func() time.Time
}

// Store is the objects below one prefix of a bucket. It is safe for concurrent use.
type Store struct {
	client    minio.Core
	bucket    string
	prefix    string // "" or ends in "/"
	scratch   bool
	versioned bool // the bucket keeps, or may have kept, old versions
	now       func() time.Time
	http      *http.Client // for what the driver does not ask
}

var _ storage.Blobs = (*Store)(nil)

// Open connects to the bucket and refuses one that cannot keep the contract: absent, or, unless
// it is for scratch, without versioning or object lock. Those refusals are certcopy.Invalid
// with what to do; storage.ErrUnavailable: the store does not answer, or not to these keys.
func Open(ctx context.Context, c Config) (*Store, error) {
	s, err := connect(c)
	if err != nil {
		return nil, err
	}
	if err := s.require(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("open bucket %s: %w", c.Bucket, err)
	}
	return s, nil
}

// Close closes the connections not in use. Objects still being read stay readable.
func (s *Store) Close() { s.http.CloseIdleConnections() }

// connect makes a store without asking the bucket anything.
func connect(c Config) (*Store, error) {
	address, err := c.address()
	if err != nil {
		return nil, err
	}
	if c.Prefix != "" {
		if err := storage.CheckKey(c.Prefix); err != nil {
			return nil, err
		}
		c.Prefix += "/"
	}
	if c.Credentials == nil || c.Now == nil {
		return nil, errors.New("s3: no credentials or clock")
	}
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	t := newTransport(c.Timeout, &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots})
	core, err := minio.NewCore(address.Host, &minio.Options{
		Creds: c.provider(), Secure: address.Scheme == "https", Region: c.Region, Transport: t, MaxRetries: 1,
	})
	if err != nil {
		return nil, badConfig("endpoint", err)
	}
	return &Store{client: *core, bucket: c.Bucket, prefix: c.Prefix, scratch: c.Scratch, versioned: true, now: c.Now, http: &http.Client{Transport: t}}, nil
}

func (c Config) address() (*url.URL, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, badConfig("endpoint", fmt.Errorf("%.80q is not https://HOST", c.Endpoint))
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, badConfig("endpoint", errors.New("plain http to another machine"))
	}
	return u, nil
}

func (c Config) roots() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, badConfig("ca_file", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, badConfig("ca_file", errors.New("no certificate in it"))
	}
	return pool, nil
}

func badConfig(field string, err error) error {
	return certcopy.Errorf(certcopy.Invalid, "s3 "+field, err, certcopy.Msg(
		"Cấu hình kho S3 không dùng được. Cần địa chỉ https, tên bucket, và tệp chứng thư đọc được.",
		"The configuration of the S3 store cannot be used. It needs an https address, a bucket, and a readable certificate file."))
}

// require asks the bucket for what the contract stands on.
func (s *Store) require(ctx context.Context) error {
	versioning, err := s.client.GetBucketVersioning(ctx, s.bucket)
	if err != nil {
		return s.readFailed(ctx, err)
	}
	s.versioned = versioning.Status != ""
	if s.scratch {
		return nil
	}
	if !versioning.Enabled() {
		return noLock("versioning", versioning.Status)
	}
	lock, _, _, _, err := s.client.GetObjectLockConfig(ctx, s.bucket)
	if err != nil && !absentConfiguration(err) {
		return s.readFailed(ctx, err)
	}
	if lock != "Enabled" {
		return noLock("object lock", lock)
	}
	return nil
}

func noLock(what, status string) error {
	return certcopy.Errorf(certcopy.Invalid, "s3 bucket", fmt.Errorf("%s is %q", what, status), certcopy.Msg(
		"Bucket này không có khóa đối tượng (object lock), nên không bảo đảm được là bản sao đã cấp không bị xóa. "+
			"Hãy tạo bucket mới có bật versioning và object lock, rồi chạy `saoy doctor s3`.",
		"This bucket has no object lock, so nothing would keep issued copies from being deleted. "+
			"Make a new bucket with versioning and object lock enabled, then run `saoy doctor s3`."))
}

// bucketExists tells a bucket that is gone from one without the object: to a HEAD request both
// are 404, as are an unknown key and a wrong address to some stores. It asks something whose
// answer has a body.
func (s *Store) bucketExists(ctx context.Context) error {
	if _, err := s.client.GetBucketVersioning(ctx, s.bucket); err != nil {
		return s.readFailed(ctx, err)
	}
	return nil
}

// name is the object's name in the bucket.
func (s *Store) name(key string) string { return s.prefix + key + suffix }

const suffix = "!"

// key is the reverse of name; false for what is not an object of this store.
func (s *Store) key(name string) (string, bool) {
	key, ours := strings.CutPrefix(name, s.prefix)
	key, ends := strings.CutSuffix(key, suffix)
	return key, ours && ends && storage.CheckKey(key) == nil
}
