package web

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"github.com/saoy/saoy/internal/certcopy"
)

// Lang is a language of the pages.
type Lang string

// The languages; Vietnamese is the default.
const (
	VI Lang = "vi"
	EN Lang = "en"
)

// Langs lists the languages, the default first.
var Langs = []Lang{VI, EN}

// Of returns the text of m in the language.
func (l Lang) Of(m certcopy.Message) string {
	if l == EN && m.EN != "" {
		return m.EN
	}
	return m.VI
}

const langCookie = "lang"

type langKey struct{}

// LangOf returns the language chosen for the request.
func LangOf(r *http.Request) Lang {
	if l, ok := r.Context().Value(langKey{}).(Lang); ok {
		return l
	}
	return VI
}

// chooseLang is a middleware: ?lang= is remembered in a cookie; else the cookie; else what
// the browser accepts.
func (s *Site) chooseLang(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := preferred(r)
		if asked := r.URL.Query().Get("lang"); asked == string(l) {
			http.SetCookie(w, &http.Cookie{Name: langCookie, Value: asked, Path: "/", MaxAge: 365 * 24 * 3600,
				Secure: s.config.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		}
		w.Header().Set("Content-Language", string(l))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), langKey{}, l)))
	})
}

func preferred(r *http.Request) Lang {
	if l, ok := known(r.URL.Query().Get("lang")); ok {
		return l
	}
	if c, err := r.Cookie(langCookie); err == nil {
		if l, ok := known(c.Value); ok {
			return l
		}
	}
	return accepted(r.Header.Get("Accept-Language"))
}

func known(s string) (Lang, bool) {
	for _, l := range Langs {
		if s == string(l) {
			return l, true
		}
	}
	return VI, false
}

// accepted returns English only to a browser that names English and not Vietnamese:
// the offices' machines often list English first because nobody changed it.
func accepted(header string) Lang {
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return VI
	}
	found := VI
	for _, t := range tags {
		switch base, _ := t.Base(); base.String() {
		case "vi":
			return VI
		case "en":
			found = EN
		}
	}
	return found
}

// Catalogue is the texts of one language by key.
type Catalogue map[string]string

// Text returns the text of key, with args put in as by fmt.Sprintf. An unknown key is
// returned itself, so that a page shows what is missing instead of nothing.
func (c Catalogue) Text(key string, args ...any) string {
	text, ok := c[key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

//go:embed text/vi.json text/en.json
var ownTexts embed.FS

// loadTexts reads this package's texts and those of a site, whose keys must be its own and
// the same in every language.
func loadTexts(site fs.FS) (map[Lang]Catalogue, error) {
	own, err := fs.Sub(ownTexts, "text")
	if err != nil {
		return nil, err
	}
	texts := map[Lang]Catalogue{VI: {}, EN: {}}
	for _, fsys := range []fs.FS{own, site} {
		if fsys == nil {
			continue
		}
		for _, l := range Langs {
			if err := texts[l].add(fsys, string(l)+".json"); err != nil {
				return nil, err
			}
		}
	}
	return texts, sameKeys(texts[VI], texts[EN])
}

func (c Catalogue) add(fsys fs.FS, name string) error {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	var more map[string]string
	if err := json.Unmarshal(b, &more); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for k, v := range more {
		if _, taken := c[k]; taken {
			return fmt.Errorf("%s: key %q is used twice", name, k)
		}
		c[k] = v
	}
	return nil
}

func sameKeys(a, b Catalogue) error {
	var errs []error
	for k, v := range a {
		switch w, ok := b[k]; {
		case !ok:
			errs = append(errs, fmt.Errorf("text %q has no English", k))
		case strings.Count(v, "%") != strings.Count(w, "%"):
			errs = append(errs, fmt.Errorf("text %q takes different values in the two languages", k))
		}
	}
	for k := range b {
		if _, ok := a[k]; !ok {
			errs = append(errs, fmt.Errorf("text %q has no Vietnamese", k))
		}
	}
	return errors.Join(errs...)
}
