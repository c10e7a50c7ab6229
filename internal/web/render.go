package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

//go:embed pages/*.html
var ownPages embed.FS

// Frame is what a template sees; the page's own data is in Data.
type Frame struct {
	Lang          Lang
	Path          string
	Home          string // the site's first page
	Demonstration bool
	Viewer        any
	// Reference is the request's reference number, which the log holds too.
	Reference string
	// OtherLang is the address of this page in the other language; empty if the page is an
	// answer to a form, which cannot be asked for again.
	OtherLang string
	Data      any
}

// parse returns the site's pages in one language.
func (s *Site) parse(lang Lang) (map[string]*template.Template, error) {
	base, err := template.New("").Funcs(s.funcs(lang)).ParseFS(ownPages, "pages/*.html")
	if err != nil {
		return nil, err
	}
	pages := make(map[string]*template.Template)
	if s.config.Pages == nil {
		return pages, addPage(pages, base, ownPages, "pages/error.html")
	}
	if shared, err := fs.Glob(s.config.Pages, "_*.html"); err != nil {
		return nil, err
	} else if len(shared) > 0 {
		if base, err = base.ParseFS(s.config.Pages, shared...); err != nil {
			return nil, err
		}
	}
	names, err := fs.Glob(s.config.Pages, "[^_]*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := addPage(pages, base, s.config.Pages, name); err != nil {
			return nil, err
		}
	}
	return pages, addPage(pages, base, ownPages, "pages/error.html")
}

func addPage(pages map[string]*template.Template, base *template.Template, fsys fs.FS, name string) error {
	page, err := base.Clone()
	if err != nil {
		return err
	}
	if page, err = page.ParseFS(fsys, name); err != nil {
		return err
	}
	pages[strings.TrimSuffix(path.Base(name), ".html")] = page
	return nil
}

// funcs are the functions of every template, bound to a language:
//
//	t "key" args…   the text of a key
//	msg M           a certcopy.Message in the language; msgOther M in the other one
//	asset "name"    the address of an asset
//	date T, time T  a day (02/01/2006) and a moment in Viet Nam
//	thousands N     1.234 in Vietnamese, 1,234 in English
//	bytes N         1,2 MB
//	dict "k" v …    a map, to hand several values to a template
func (s *Site) funcs(lang Lang) template.FuncMap {
	m := template.FuncMap{
		"t":         s.texts[lang].Text,
		"msg":       lang.Of,
		"msgOther":  lang.other().Of,
		"asset":     s.assets.address,
		"date":      func(t time.Time) string { return t.In(certcopy.Vietnam).Format("02/01/2006") },
		"time":      func(t time.Time) string { return t.In(certcopy.Vietnam).Format("15:04 02/01/2006") },
		"thousands": func(n any) (string, error) { return lang.thousands(n) },
		"bytes":     lang.bytes,
		"dict":      dict,
	}
	for name, f := range s.config.Funcs {
		m[name] = f
	}
	return m
}

func (l Lang) other() Lang {
	if l == VI {
		return EN
	}
	return VI
}

func (l Lang) thousands(v any) (string, error) {
	var n int64
	switch v := v.(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	default:
		return "", fmt.Errorf("thousands: %T is not a number", v)
	}
	digits, sign := strconv.FormatInt(n, 10), ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(map[Lang]string{VI: ".", EN: ","}[l])
		}
		b.WriteRune(d)
	}
	return sign + b.String(), nil
}

func (l Lang) bytes(n int64) string {
	number, unit := float64(n)/(1<<20), "MB"
	if n < 1<<20 {
		number, unit = float64(n)/(1<<10), "kB"
	}
	s := strconv.FormatFloat(number, 'f', 1, 64)
	if l == VI {
		s = strings.Replace(s, ".", ",", 1)
	}
	return s + " " + unit
}

func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict: %d values, want pairs", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %v is not a string", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Render writes a page. Nothing is sent before the whole page is made, so an error in a
// template becomes the error page and not half a page.
func (s *Site) Render(w http.ResponseWriter, r *http.Request, status int, page string, data any) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	if err := s.execute(buf, r, page, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		// A broken connection is the browser's affair and shows in the access log.
		_, _ = buf.WriteTo(w)
	}
	return nil
}

func (s *Site) execute(buf *bytes.Buffer, r *http.Request, page string, data any) error {
	lang := LangOf(r)
	t, ok := s.pages[lang][page]
	if !ok {
		return fmt.Errorf("web: no page %q", page)
	}
	f := Frame{Lang: lang, Path: r.URL.Path, Home: s.config.Prefix + "/", Demonstration: s.config.Demonstration,
		Reference: Reference(r.Context()), Data: data}
	if s.config.Viewer != nil {
		f.Viewer = s.config.Viewer(r)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		f.OtherLang = inLang(r.URL, lang.other())
	}
	if err := t.ExecuteTemplate(buf, "layout", f); err != nil {
		return fmt.Errorf("web: page %q: %w", page, err)
	}
	return nil
}

func inLang(u *url.URL, l Lang) string {
	q := u.Query()
	q.Set("lang", string(l))
	return (&url.URL{Path: u.Path, RawQuery: q.Encode()}).String()
}
