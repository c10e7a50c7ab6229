package s3_test

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/storage/s3"
	"github.com/saoy/saoy/storage/s3/s3test"
)

// probed returns the names of the properties that do not hold.
func probed(t *testing.T, c s3.Config) (lacking []string) {
	t.Helper()
	holds, err := s3.Probe(t.Context(), c, 0, func(p s3.Property) {
		t.Logf("%-22s %v %s", p.Name, p.Holds, p.Detail)
		if p.VI == "" || p.EN == "" || strings.Contains(p.Detail, "%!") || strings.Contains(p.Detail, string(s3test.Keys.Secret)) {
			t.Errorf("badly said: %+v", p)
		}
		if !p.Holds {
			lacking = append(lacking, p.Name)
			if p.Detail == "" {
				t.Errorf("%s: no reason", p.Name)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if holds != (len(lacking) == 0) {
		t.Errorf("holds %v, lacking %q", holds, lacking)
	}
	return lacking
}

// All holds on a good store, and nothing is left there.
func TestProbeOfAGoodStore(t *testing.T) {
	t.Parallel()
	server := s3test.Shared(t)
	c := server.Config(server.Bucket(t, true))
	c.Prefix = "tinh"
	if lacking := probed(t, c); len(lacking) > 0 {
		t.Errorf("lacking %q", lacking)
	}
	for o := range server.Client().ListObjectsIter(t.Context(), c.Bucket, minio.ListObjectsOptions{WithVersions: true, Recursive: true}) {
		t.Errorf("left: %s %v", o.Key, o.Err)
	}
}

func TestProbeOfScratch(t *testing.T) {
	t.Parallel()
	server := s3test.Shared(t)
	c := server.Config(server.Bucket(t, false))
	c.Scratch = true
	if lacking := probed(t, c); len(lacking) > 0 {
		t.Errorf("lacking %q", lacking)
	}
}

func TestProbeOfABucketWithoutLock(t *testing.T) {
	t.Parallel()
	server := s3test.Shared(t)
	want := []string{"versioning", "object lock", "retention", "refused while locked", "marker", "legal hold", "released"}
	if lacking := probed(t, server.Config(server.Bucket(t, false))); !slices.Equal(lacking, want) {
		t.Errorf("lacking %q", lacking)
	}
}

func TestProbeStopsWithoutABucket(t *testing.T) {
	c := s3test.Shared(t).Config("absent-bucket")
	if lacking := probed(t, c); !slices.Equal(lacking, []string{"reach"}) {
		t.Errorf("lacking %q", lacking)
	}
}

// lies makes a store that answers well of one that does not: it passes everything on and
// changes the answers.
func lies(change func(r *http.Request, res *http.Response, b []byte) []byte) fault {
	return func(p *proxy, w http.ResponseWriter, r *http.Request) {
		res, err := p.forward(r)
		if err != nil {
			cut(w)
			return
		}
		var b bytes.Buffer
		_, _ = b.ReadFrom(res.Body)
		_ = res.Body.Close()
		out := change(r, res, b.Bytes())
		if r.Method != http.MethodHead {
			res.Header.Set("Content-Length", strconv.Itoa(len(out)))
		}
		copyHeader(w, res)
		_, _ = w.Write(out)
	}
}

// says replaces a refusal by success.
func says(method, header string, from, to int) fault {
	return lies(func(r *http.Request, res *http.Response, b []byte) []byte {
		if r.Method == method && r.Header.Get(header) != "" && res.StatusCode == from {
			res.StatusCode = to
			return nil
		}
		return b
	})
}

func drops(header string) fault {
	return lies(func(_ *http.Request, res *http.Response, b []byte) []byte { res.Header.Del(header); return b })
}

// Each property is found lacking on a store that lacks it.
func TestProbeOfBadStores(t *testing.T) {
	first := regexp.MustCompile(`(?s)(<Contents>.*?</Contents>)(<Contents>.*?</Contents>)`)
	for lack, f := range map[string]fault{
		"keys": says("GET", "Authorization", 403, 200),
		"clock": lies(func(_ *http.Request, res *http.Response, b []byte) []byte {
			res.Header.Set("Date", "Mon, 02 Jan 2006 15:04:05 GMT")
			return b
		}),
		"absent":               says("HEAD", "Authorization", 404, 403),
		"round trip":           drops("X-Amz-Checksum-Sha256"),
		"create once":          says("PUT", "If-None-Match", 412, 200),
		"checksum":             says("PUT", "If-None-Match", 400, 200),
		"order":                lies(func(_ *http.Request, _ *http.Response, b []byte) []byte { return first.ReplaceAll(b, []byte("$2$1")) }),
		"retention":            drops("X-Amz-Object-Lock-Mode"),
		"refused while locked": says("DELETE", "X-Amz-Bypass-Governance-Retention", 403, 204),
	} {
		t.Run(lack, func(t *testing.T) {
			t.Parallel()
			_, p, c := behind(t, 5*time.Second)
			p.set("", f)
			c.Scratch = lack != "retention" && lack != "refused while locked" // spares the wait for the lock's end
			if lacking := probed(t, c); !slices.Contains(lacking, lack) {
				t.Errorf("lacking %q", lacking)
			}
		})
	}
}
