package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/storage"
)

// userCommand looks after the people of an agency. Who may run it owns the installation, so it
// asks for no password; the first administrator is made by it, the others in the office.
type userCommand struct {
	Add       userAddCommand       `cmd:"" help:"Add an official; prints a password, once."`
	Change    userChangeCommand    `cmd:"" help:"Change an official's name, title or roles."`
	Password  userPasswordCommand  `cmd:"" help:"Give an official a new password; prints it, once, and ends their sessions."`
	Disable   userDisableCommand   `cmd:"" help:"Lock an official out; what they did stays."`
	Enable    userEnableCommand    `cmd:"" help:"Let an official in again."`
	Signature userSignatureCommand `cmd:"" help:"Record the image of a certifier's signature that is drawn on copies."`
	List      userListCommand      `cmd:"" help:"List an agency's officials with their authorisations."`
}

// loginArg names an official.
type loginArg struct {
	Login string `arg:"" help:"Sign-in name."`
}

// onAccount opens the records and finds the account.
func (l loginArg) onAccount(ctx context.Context, data dataFlag, do func(*app, account.Account) error) error {
	return onRecords(ctx, data, func(a *app) error {
		person, err := a.store.AccountByLogin(ctx, account.FoldLogin(l.Login))
		if errors.Is(err, storage.ErrNotFound) {
			return certcopy.Errorf(certcopy.NotFound, l.Login, err, certcopy.Msg(
				"Không có tài khoản này. Hãy xem `saoy user list`.", "There is no such account. See `saoy user list`."))
		}
		if err != nil {
			return err
		}
		return do(a, person)
	})
}

// userAddCommand adds an official.
type userAddCommand struct {
	dataFlag
	loginArg
	Agency string   `help:"Agency; default: the only one."`
	Name   string   `help:"Full name, as printed on copies." required:""`
	Title  string   `help:"Title; of a certifier as printed on copies, such as CHỦ TỊCH."`
	Role   []string `help:"clerk, certifier, seal_keeper, admin, auditor; may be repeated." required:"" enum:"clerk,certifier,seal_keeper,admin,auditor"`
}

// Run adds the official. Said again with the same facts it changes nothing, and prints no
// password.
func (c userAddCommand) Run(ctx context.Context) error {
	return onRecords(ctx, c.dataFlag, func(a *app) error {
		agency, err := a.onlyAgency(ctx, c.Agency)
		if err != nil {
			return err
		}
		want := account.Account{Agency: agency, Login: account.FoldLogin(c.Login), Name: strings.Join(strings.Fields(c.Name), " "),
			Title: strings.TrimSpace(c.Title), Roles: rolesOf(c.Role)}
		if err := errors.Join(account.CheckLogin(want.Login), account.Check(want)); err != nil {
			return err
		}
		password, hash, err := freshPassword()
		if err != nil {
			return err
		}
		want.PasswordHash = hash
		_, err = a.store.CreateAccount(ctx, want)
		if errors.Is(err, storage.ErrExists) {
			return a.sameAccount(ctx, want)
		}
		if err != nil {
			return err
		}
		fmt.Printf("Đã thêm %s (%s) vào %s / official added.\n", want.Login, want.Name, agency)
		return a.tellPassword(password)
	})
}

func rolesOf(names []string) (roles []certcopy.Role) {
	for _, known := range account.Roles {
		if slices.Contains(names, string(known)) {
			roles = append(roles, known)
		}
	}
	return roles
}

// onlyAgency is the agency named, or the only one there is.
func (a *app) onlyAgency(ctx context.Context, named string) (certcopy.AgencyID, error) {
	ids, err := a.store.Agencies(ctx)
	if err != nil {
		return "", err
	}
	if named == "" && len(ids) == 1 {
		return ids[0], nil
	}
	if !slices.Contains(ids, certcopy.AgencyID(named)) {
		return "", noAgency(named, fmt.Errorf("%d agencies", len(ids)))
	}
	return certcopy.AgencyID(named), nil
}

// freshPassword makes a password for a person who is to choose one of their own.
func freshPassword() (password certcopy.Secret, hash string, err error) {
	if password, err = account.NewPassword(rand.Reader); err != nil {
		return password, "", err
	}
	hash, err = account.Hash(rand.Reader, password)
	return password, hash, err
}

// tellPassword prints a password to the terminal; it is kept nowhere.
func (a *app) tellPassword(password certcopy.Secret) error {
	_, err := fmt.Printf(`Mật khẩu (chỉ hiện một lần) / password (shown once): %s
Đăng nhập tại / sign in at: %s/office , rồi đổi ngay mật khẩu / then change it at once.
`, password.Reveal(), a.base)
	return err
}

// sameAccount is nil if the account is there as it is wanted.
func (a *app) sameAccount(ctx context.Context, want account.Account) error {
	have, err := a.store.AccountByLogin(ctx, want.Login)
	if err != nil {
		return err
	}
	if have.Agency != want.Agency || have.Name != want.Name || have.Title != want.Title || !slices.Equal(rolesOf(roleNames(have.Roles)), want.Roles) {
		return certcopy.Errorf(certcopy.Conflict, want.Login, nil, certcopy.Msg(
			"Tên đăng nhập này đã có người dùng, với thông tin khác; không có gì thay đổi. Hãy chọn tên khác, hoặc dùng `saoy user change`.",
			"This login name is taken, with other facts; nothing was changed. Choose another, or use `saoy user change`."))
	}
	fmt.Printf("Tài khoản %s đã có, không thay đổi / account exists, unchanged.\n", want.Login)
	return nil
}

func roleNames(roles []certcopy.Role) (names []string) {
	for _, r := range roles {
		names = append(names, string(r))
	}
	return names
}

// userChangeCommand changes what is recorded of an official.
type userChangeCommand struct {
	dataFlag
	loginArg
	Name  string   `help:"Full name."`
	Title string   `help:"Title."`
	Role  []string `help:"All the roles the official has from now on." enum:"clerk,certifier,seal_keeper,admin,auditor"`
}

// Run changes what is said and leaves the rest.
func (c userChangeCommand) Run(ctx context.Context) error {
	return c.onAccount(ctx, c.dataFlag, func(a *app, person account.Account) error {
		given(&person.Name, strings.Join(strings.Fields(c.Name), " "))
		given(&person.Title, strings.TrimSpace(c.Title))
		if len(c.Role) > 0 {
			person.Roles = rolesOf(c.Role)
		}
		if err := account.Check(person); err != nil {
			return err
		}
		if err := a.store.ChangeAccount(ctx, person); err != nil {
			return err
		}
		fmt.Printf("%s: %s, %s, %s\n", person.Login, person.Name, person.Title, strings.Join(roleNames(person.Roles), " "))
		return nil
	})
}

// userPasswordCommand sets a new password.
type userPasswordCommand struct {
	dataFlag
	loginArg
}

// Run sets and prints it. All sessions of the official end.
func (c userPasswordCommand) Run(ctx context.Context) error {
	return c.onAccount(ctx, c.dataFlag, func(a *app, person account.Account) error {
		password, hash, err := freshPassword()
		if err != nil {
			return err
		}
		if err := a.store.SetPassword(ctx, person.ID, hash, certcopy.Digest{}); err != nil {
			return err
		}
		return a.tellPassword(password)
	})
}

// userDisableCommand locks an official out.
type userDisableCommand struct {
	dataFlag
	loginArg
}

// Run disables the account and ends its sessions.
func (c userDisableCommand) Run(ctx context.Context) error {
	return c.setDisabled(ctx, c.dataFlag, time.Now())
}

// userEnableCommand lets an official in again.
type userEnableCommand struct {
	dataFlag
	loginArg
}

// Run enables the account.
func (c userEnableCommand) Run(ctx context.Context) error {
	return c.setDisabled(ctx, c.dataFlag, time.Time{})
}

func (l loginArg) setDisabled(ctx context.Context, data dataFlag, at time.Time) error {
	return l.onAccount(ctx, data, func(a *app, person account.Account) error {
		fresh := person.Disabled.IsZero() != at.IsZero()
		if fresh {
			person.Disabled = at
			if err := a.store.ChangeAccount(ctx, person); err != nil {
				return err
			}
		}
		if at.IsZero() {
			return recorded(nil, fresh, person.Login+" đăng nhập được", "enabled: account")
		}
		return recorded(nil, fresh, person.Login+" bị khóa", "disabled: account")
	})
}

// userSignatureCommand records the image of a signature.
type userSignatureCommand struct {
	dataFlag
	loginArg
	File string `arg:"" help:"PNG with a transparent ground, the signature in blue ink." type:"path"`
}

// Run records the image. Copies drawn before keep theirs.
func (c userSignatureCommand) Run(ctx context.Context) error {
	return c.onAccount(ctx, c.dataFlag, func(a *app, person account.Account) error {
		png, err := readImage(c.File, stamp.CheckSignature)
		if err != nil {
			return err
		}
		fresh, err := a.store.AddLook(ctx, person.Agency, person.ID, png)
		return recorded(err, fresh, "Ảnh chữ ký của "+person.Login, "image of the signature")
	})
}

// userListCommand lists officials.
type userListCommand struct {
	dataFlag
	Agency string `help:"Agency; default: the only one."`
}

// Run prints one line an official, and below it the authorisations.
func (c userListCommand) Run(ctx context.Context) error {
	return onRecords(ctx, c.dataFlag, func(a *app) error {
		agency, err := a.onlyAgency(ctx, c.Agency)
		if err != nil {
			return err
		}
		people, err := a.store.Accounts(ctx, agency)
		if err != nil {
			return err
		}
		all, err := a.store.Authorisations(ctx, agency)
		if err != nil {
			return err
		}
		for _, p := range people {
			state := ""
			if !p.Disabled.IsZero() {
				state = "  (đã khóa / disabled)"
			}
			fmt.Printf("%-16s %s, %s  %s%s\n", p.Login, p.Name, p.Title, strings.Join(roleNames(p.Roles), " "), state)
			for _, u := range all {
				if u.Account == p.ID {
					fmt.Printf("%-16s   %s\n", "", authorisationLine(u))
				}
			}
		}
		return nil
	})
}
