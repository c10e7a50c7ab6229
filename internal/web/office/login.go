package office

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

type loginPage struct {
	Login, Next string
	Error       *certcopy.Error
}

func (o *Office) loginForm(w http.ResponseWriter, r *http.Request) error {
	if who(r).ID != "" {
		http.Redirect(w, r, nextPath(r.URL.Query().Get("next")), http.StatusSeeOther)
		return nil
	}
	return o.site.Render(w, r, http.StatusOK, "login", loginPage{Next: nextPath(r.URL.Query().Get("next"))})
}

func (o *Office) login(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	a, err := o.authenticate(r, account.FoldLogin(r.PostForm.Get("login")))
	if err != nil {
		page := loginPage{Login: r.PostForm.Get("login"), Next: nextPath(r.PostForm.Get("next"))}
		return o.again(w, r, err, "login", &page, &page.Error)
	}
	token, err := account.NewSessionToken(o.rand)
	if err != nil {
		return err
	}
	if err := o.desk.StartSession(r.Context(), token.Hash(), a.ID, o.now()); err != nil {
		return err
	}
	o.setCookie(w, token.Reveal(), 0)
	http.Redirect(w, r, nextPath(r.PostForm.Get("next")), http.StatusSeeOther)
	return nil
}

func (o *Office) logout(w http.ResponseWriter, r *http.Request) error {
	if token, err := o.token(r); err == nil {
		if err := o.desk.EndSession(r.Context(), token.Hash()); err != nil {
			return err
		}
	}
	o.setCookie(w, "", -1)
	w.Header().Set("Clear-Site-Data", `"cache"`) // page images on a shared machine
	http.Redirect(w, r, Prefix+"/login", http.StatusSeeOther)
	return nil
}

// authenticate examines the form's password for a login name, under the rules against
// guessing. Unknown, disabled and wrong take the same time and say the same.
func (o *Office) authenticate(r *http.Request, login string) (account.Account, error) {
	ctx, now := r.Context(), o.now()
	name, network := certcopy.DigestOf([]byte(login)), web.TruncatedIP(r.RemoteAddr)
	failures, err := o.desk.LoginFailures(ctx, name, network, now)
	if err != nil {
		return account.Account{}, err
	}
	if wait := failures.Wait(now); wait > 0 {
		return account.Account{}, tooMany(wait)
	}
	a, err := o.desk.AccountByLogin(ctx, login)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return account.Account{}, err
	}
	ok, err := o.examine(r, a)
	if err != nil {
		return account.Account{}, err
	}
	if !ok {
		if err := o.desk.AddLoginFailure(ctx, name, network, now); err != nil {
			return account.Account{}, err
		}
		return account.Account{}, certcopy.Errorf(certcopy.Invalid, "password", nil, certcopy.Msg(
			"Tên đăng nhập hoặc mật khẩu không đúng. Hãy nhập lại; nếu quên, hãy nhờ quản trị viên đặt lại mật khẩu.",
			"The login name or the password is wrong. Enter them again; if forgotten, ask the administrator to reset the password."))
	}
	if failures.ByLogin > 0 {
		err = o.desk.ClearLoginFailures(ctx, name)
	}
	return a, err
}

// examine compares the form's password with the account's, a few at a time.
func (o *Office) examine(r *http.Request, a account.Account) (bool, error) {
	select {
	case o.hashing <- struct{}{}:
		defer func() { <-o.hashing }()
	case <-r.Context().Done():
		return false, r.Context().Err()
	}
	password := certcopy.NewSecret([]byte(r.PostForm.Get("password")))
	if a.ID == "" || !a.Disabled.IsZero() || a.PasswordHash == "" {
		account.Spend(password)
		return false, nil
	}
	ok, _, err := account.Verify(a.PasswordHash, password)
	if err != nil {
		return false, fmt.Errorf("account %s: %w", a.ID, err)
	}
	return ok, nil
}

// prove asks for the second factor for one act: in a demonstration the password again.
func (o *Office) prove(r *http.Request, act certcopy.Digest) error {
	me := who(r)
	a, err := o.authenticate(r, me.Login)
	if err != nil {
		return err
	}
	if p := (account.Proof{By: a.ID, Act: act, At: o.now()}); !p.Covers(me.ID, act, o.now()) {
		return signedOut()
	}
	return nil
}

func tooMany(wait time.Duration) error {
	seconds := int(wait.Round(time.Second) / time.Second)
	return certcopy.Errorf(certcopy.Invalid, "wait", nil, certcopy.Msg(
		fmt.Sprintf("Đã nhập sai nhiều lần. Hãy đợi %d giây rồi thử lại.", seconds),
		fmt.Sprintf("Wrong too often. Wait %d seconds, then try again.", seconds)))
}

type passwordPage struct{ Error *certcopy.Error }

func (o *Office) passwordForm(w http.ResponseWriter, r *http.Request) error {
	return o.site.Render(w, r, http.StatusOK, "password", &passwordPage{})
}

func (o *Office) changePassword(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	page := passwordPage{}
	a, err := o.authenticate(r, who(r).Login)
	if err == nil {
		token, tokenErr := o.token(r)
		if tokenErr != nil {
			return signedOut()
		}
		err = o.setPassword(r, a, r.PostForm.Get("new"), r.PostForm.Get("again"), token.Hash())
	}
	if err != nil {
		return o.again(w, r, err, "password", &page, &page.Error)
	}
	http.Redirect(w, r, Prefix+"/?done=password", http.StatusSeeOther)
	return nil
}

// setPassword applies the rules to a new password and stores it, ending the account's other sessions.
func (o *Office) setPassword(r *http.Request, a account.Account, typed, again string, keep certcopy.Digest) error {
	if typed != again {
		return certcopy.Errorf(certcopy.Invalid, "again", nil, certcopy.Msg(
			"Hai lần nhập mật khẩu mới không giống nhau. Hãy nhập lại cả hai.",
			"The new password was typed in two different ways. Type both again."))
	}
	hash, err := o.newHash(a.Login, typed)
	if err != nil {
		return err
	}
	return o.desk.SetPassword(r.Context(), a.ID, hash, keep)
}

func (o *Office) newHash(login, typed string) (string, error) {
	password := certcopy.NewSecret([]byte(typed))
	if err := account.CheckPassword(login, password); err != nil {
		return "", err
	}
	return account.Hash(o.rand, password)
}
