package office

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

type accountsPage struct {
	Accounts []account.Account
	New      account.Account
	Roles    []certcopy.Role
	Error    *certcopy.Error
}

func (o *Office) accounts(w http.ResponseWriter, r *http.Request) error {
	page, err := o.accountsPage(r)
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "accounts", page)
}

func (o *Office) accountsPage(r *http.Request) (*accountsPage, error) {
	list, err := o.desk.Accounts(r.Context(), who(r).Agency)
	return &accountsPage{Accounts: list, Roles: account.Roles}, err
}

// readAccount reads what an administrator may set of an account.
func readAccount(r *http.Request, a account.Account) account.Account {
	a.Name = strings.Join(strings.Fields(r.PostForm.Get("name")), " ")
	a.Title = strings.TrimSpace(r.PostForm.Get("title"))
	a.Roles = nil
	for _, role := range account.Roles {
		if slices.Contains(r.PostForm["role"], string(role)) {
			a.Roles = append(a.Roles, role)
		}
	}
	return a
}

func (o *Office) createAccount(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	page, err := o.accountsPage(r)
	if err != nil {
		return err
	}
	// An identifier of its own makes Has answer before there is one.
	page.New = readAccount(r, account.Account{ID: "new", Agency: who(r).Agency, Login: account.FoldLogin(r.PostForm.Get("login"))})
	err = o.prove(r, accountAct(page.New))
	if err == nil {
		err = o.storeAccount(r, page.New)
	}
	if err != nil {
		return o.again(w, r, err, "accounts", page, &page.Error)
	}
	http.Redirect(w, r, Prefix+"/accounts?done=saved", http.StatusSeeOther)
	return nil
}

func (o *Office) storeAccount(r *http.Request, a account.Account) error {
	err := account.CheckLogin(a.Login)
	if err == nil {
		err = account.Check(a)
	}
	if err == nil {
		a.PasswordHash, err = o.newHash(a.Login, r.PostForm.Get("new"))
	}
	if err == nil {
		_, err = o.desk.CreateAccount(r.Context(), a)
	}
	if errors.Is(err, storage.ErrExists) {
		return certcopy.Errorf(certcopy.Invalid, "login", err, certcopy.Msg("Tên đăng nhập này đã có người dùng. Hãy chọn tên khác.", "This login name is taken. Choose another."))
	}
	return err
}

type accountPage struct {
	Account        account.Account
	Roles          []certcopy.Role
	Authorisations []account.Authorisation
	Today          string
	Error          *certcopy.Error
}

// Holds reports whether the account was given a role, disabled or not.
func (p *accountPage) Holds(role certcopy.Role) bool { return slices.Contains(p.Account.Roles, role) }

func (o *Office) showAccount(w http.ResponseWriter, r *http.Request) error {
	page, err := o.accountPage(r)
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "account", page)
}

func (o *Office) accountPage(r *http.Request) (*accountPage, error) {
	agency := who(r).Agency
	list, err := o.desk.Accounts(r.Context(), agency)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(a account.Account) bool { return string(a.ID) == chi.URLParam(r, "account") })
	if i < 0 {
		return nil, storage.ErrNotFound
	}
	all, err := o.desk.Authorisations(r.Context(), agency)
	page := &accountPage{Account: list[i], Roles: account.Roles, Today: o.now().In(certcopy.Vietnam).Format(time.DateOnly)}
	for _, a := range all {
		if a.Account == page.Account.ID {
			page.Authorisations = append(page.Authorisations, a)
		}
	}
	return page, err
}

// accountAct identifies what an administrator confirms about an account: whoever may set a
// certifier's password could certify, so an open session is not enough.
func accountAct(a account.Account) certcopy.Digest {
	return certcopy.DigestOf([]byte("saoy act v1 account " + a.Login))
}

// onAccount reads the form and the account it is about, asks for the second factor, does
// something, and shows the account again.
func (o *Office) onAccount(w http.ResponseWriter, r *http.Request, do func(*accountPage) error) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	page, err := o.accountPage(r)
	if err != nil {
		return err
	}
	if err = o.prove(r, accountAct(page.Account)); err == nil {
		err = do(page)
	}
	if err != nil {
		return o.again(w, r, err, "account", page, &page.Error)
	}
	http.Redirect(w, r, Prefix+"/accounts/"+string(page.Account.ID)+"?done=saved", http.StatusSeeOther)
	return nil
}

func (o *Office) changeAccount(w http.ResponseWriter, r *http.Request) error {
	return o.onAccount(w, r, func(page *accountPage) error {
		a := readAccount(r, page.Account)
		a.Disabled = time.Time{}
		if err := account.Check(a); err != nil {
			return err
		}
		disable := r.PostForm.Get("disabled") == "yes"
		if a.ID == who(r).ID && (disable || !a.Has(certcopy.Admin)) {
			return certcopy.Errorf(certcopy.Invalid, "role", nil, certcopy.Msg(
				"Không thể tự khóa hay tự bỏ vai trò quản trị của chính mình. Hãy nhờ một quản trị viên khác.",
				"You cannot disable yourself or drop your own administrator role. Ask another administrator."))
		}
		if disable {
			a.Disabled = o.now()
		}
		page.Account = a
		return o.desk.ChangeAccount(r.Context(), a)
	})
}

// resetPassword gives an account a password that the administrator tells its owner.
func (o *Office) resetPassword(w http.ResponseWriter, r *http.Request) error {
	return o.onAccount(w, r, func(page *accountPage) error {
		return o.setPassword(r, page.Account, r.PostForm.Get("new"), r.PostForm.Get("again"), certcopy.Digest{})
	})
}

// authorise records the decision by which the account may certify or seal.
func (o *Office) authorise(w http.ResponseWriter, r *http.Request) error {
	return o.onAccount(w, r, func(page *accountPage) error {
		a := account.Authorisation{Account: page.Account.ID, Scope: account.Scope(r.PostForm.Get("scope")), Decision: strings.TrimSpace(r.PostForm.Get("number"))}
		from, err := time.Parse(time.DateOnly, r.PostForm.Get("from"))
		to, toErr := time.Parse(time.DateOnly, r.PostForm.Get("to"))
		if r.PostForm.Get("to") == "" {
			toErr = nil
		}
		if err != nil || toErr != nil || !to.IsZero() && to.Before(from) || a.Decision == "" || len(a.Decision) > 200 ||
			a.Scope != account.MayCertify && a.Scope != account.MaySeal {
			return certcopy.Errorf(certcopy.Invalid, "number", nil, certcopy.Msg(
				"Ủy quyền phải có số quyết định, ngày bắt đầu, và ngày kết thúc không trước ngày bắt đầu. Hãy xem lại.",
				"An authorisation needs the decision's number, a first day, and a last day not before it. Look again."))
		}
		a.From, a.To = from, to
		return o.desk.Authorise(r.Context(), who(r).Agency, a)
	})
}

func (o *Office) revokeAuthorisation(w http.ResponseWriter, r *http.Request) error {
	return o.onAccount(w, r, func(page *accountPage) error {
		id, err := strconv.ParseInt(chi.URLParam(r, "authorisation"), 10, 64)
		if err != nil || !slices.ContainsFunc(page.Authorisations, func(a account.Authorisation) bool { return a.ID == id }) {
			return storage.ErrNotFound
		}
		return o.desk.RevokeAuthorisation(r.Context(), who(r).Agency, id)
	})
}
