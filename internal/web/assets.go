package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed assets/*
var ownAssets embed.FS

// AssetPrefix is the path, below the site's Prefix, at which its Assets handler is mounted.
const AssetPrefix = "/assets/"

// asset is a file with the headers it is served with.
type asset struct {
	contentType string
	plain, gzip []byte
}

// assets holds every asset in memory under a name that contains its checksum, so that
// browsers may keep it for ever and a new release is seen at once.
type assets struct {
	prefix    string
	addresses map[string]string // name → address
	files     map[string]asset  // address → file
}

func loadAssets(prefix string, site fs.FS) (*assets, error) {
	own, err := fs.Sub(ownAssets, "assets")
	if err != nil {
		return nil, err
	}
	a := &assets{prefix: prefix + AssetPrefix, addresses: make(map[string]string), files: make(map[string]asset)}
	for _, fsys := range []fs.FS{own, site} {
		if fsys == nil {
			continue
		}
		if err := a.add(fsys); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *assets) add(fsys fs.FS) error {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := fs.ReadFile(fsys, e.Name())
		if err != nil {
			return err
		}
		if _, taken := a.addresses[e.Name()]; taken {
			return fmt.Errorf("asset %q is there twice", e.Name())
		}
		address := a.prefix + checksummed(e.Name(), b)
		a.addresses[e.Name()] = address
		a.files[address] = asset{contentType: typeOf(e.Name()), plain: b, gzip: compress(b)}
	}
	return nil
}

// checksummed puts the checksum of b into a file name.
func checksummed(name string, b []byte) string {
	sum := sha256.Sum256(b)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
}

func typeOf(name string) string {
	switch ext := path.Ext(name); ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

// compress returns nil where it does not pay.
func compress(b []byte) []byte {
	var buf bytes.Buffer
	z, err := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := z.Write(b); err != nil || z.Close() != nil || buf.Len() >= len(b) {
		return nil
	}
	return buf.Bytes()
}

func (a *assets) address(name string) (string, error) {
	if address, ok := a.addresses[name]; ok {
		return address, nil
	}
	return "", fmt.Errorf("no asset %q", name)
}

// Assets serves the assets; mount it at Prefix + AssetPrefix.
func (s *Site) Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := s.assets.files[r.URL.Path]
		if !ok {
			s.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.contentType)
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Add("Vary", "Accept-Encoding")
		body := f.plain
		if f.gzip != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			body = f.gzip
		}
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // a broken connection shows in the access log
		}
	})
}
