package office

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

type accountKey struct{}

// who returns the signed-in account; the zero Account if nobody is.
func who(r *http.Request) account.Account {
	a, _ := r.Context().Value(accountKey{}).(account.Account)
	return a
}

// cookieName has the prefix that ties the cookie to this host over https (RFC 6265bis §4.1.3.2).
func (o *Office) cookieName() string {
	if o.secure {
		return "__Host-saoy"
	}
	return "saoy"
}

// setCookie leaves the expiry to the server: the browser forgets the cookie when it closes.
func (o *Office) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: o.cookieName(), Value: value, Path: "/", MaxAge: maxAge, Secure: o.secure,
		HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func (o *Office) token(r *http.Request) (account.SessionToken, error) {
	c, err := r.Cookie(o.cookieName())
	if err != nil {
		return account.SessionToken{}, account.ErrToken
	}
	return account.ParseSessionToken(c.Value)
}

// loadSession is a middleware: one query finds the session and the account as it is now.
func (o *Office) loadSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Cookie")
		token, err := o.token(r)
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		a, err := o.desk.Session(r.Context(), token.Hash(), o.now())
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			o.site.Fail(w, r, err)
			return
		}
		// From here on, what belongs to another agency is not there.
		ctx := storage.WithActor(r.Context(), storage.Actor{Agency: a.Agency, Account: a.ID})
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, accountKey{}, a)))
	})
}

// guard lets a request through to h if the account holds one of the roles; nil roles are
// open to all.
func (o *Office) guard(roles []certcopy.Role, h web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		switch a := who(r); {
		case roles == nil || a.Has(roles...):
			return h(w, r)
		case a.ID == "" && r.Method == http.MethodGet && !web.WantsJSON(r):
			http.Redirect(w, r, Prefix+"/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return nil
		case a.ID == "":
			return signedOut()
		default:
			return certcopy.Errorf(certcopy.Forbidden, "", nil, certcopy.Msg(
				"Tài khoản của ông/bà không có vai trò để làm việc này. Nếu cần, hãy đề nghị quản trị viên cấp quyền.",
				"Your account has no role for this. If you need it, ask the administrator."))
		}
	}
}

// signedOut keeps what was typed: the form is still in the browser and can be sent again.
func signedOut() error {
	return certcopy.Errorf(certcopy.Forbidden, "", nil, certcopy.Msg(
		"Phiên làm việc đã hết. Hãy đăng nhập trong một thẻ khác, rồi tải lại trang này để gửi lại; nội dung đã nhập chưa mất.",
		"Your session is over. Sign in in another tab, then reload this page to send it again; what you typed is not lost."))
}

// Viewer is what the navigation shows.
type Viewer struct {
	Account account.Account
	Path    string
	Done    string // key of the text that says what was just done
}

// doneKeys are the results a page may be told of by its address.
var doneKeys = map[string]bool{"certified": true, "sealed": true, "submitted": true, "returned": true, "refused": true, "withdrawn": true,
	"saved": true, "revoked": true, "voided": true, "annulled": true, "password": true, "received": true}

func (o *Office) viewer(r *http.Request) any {
	v := Viewer{Account: who(r), Path: r.URL.Path}
	if done := r.URL.Query().Get("done"); doneKeys[done] {
		v.Done = "done." + done
	}
	return v
}

// May reports whether the viewer holds a role.
func (v Viewer) May(role string) bool { return v.Account.Has(certcopy.Role(role)) }

// At reports whether the page is the one at path, for the navigation.
func (v Viewer) At(path string) bool { return v.Path == Prefix+path }

// nextPath returns where to go after signing in: an address of this site, never another's.
func nextPath(asked string) string {
	u, err := url.Parse(asked)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, Prefix+"/") ||
		strings.HasPrefix(u.Path, Prefix+"/login") || strings.ContainsAny(asked, "\\\r\n") {
		return Prefix + "/"
	}
	return u.RequestURI()
}
