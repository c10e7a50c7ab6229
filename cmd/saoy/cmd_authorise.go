package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
)

// authoriseCommand records the decision by which an official may certify or seal, or ends one.
type authoriseCommand struct {
	dataFlag
	loginArg
	Scope    string    `help:"What for: certify or seal." required:"" enum:"certify,seal"`
	Decision string    `help:"Number of the decision." required:"" placeholder:"'12/QĐ-UBND'"`
	From     time.Time `help:"First day. Default: today." format:"2006-01-02" placeholder:"DAY"`
	To       time.Time `help:"Last day; without one it holds until it is revoked." format:"2006-01-02" placeholder:"DAY"`
	Revoke   bool      `help:"End the authorisation by that decision now, in place of recording it."`
}

// Run records or ends the authorisation. Said again it changes nothing.
func (c authoriseCommand) Run(ctx context.Context) error {
	return c.onAccount(ctx, c.dataFlag, func(a *app, person account.Account) error {
		want, err := c.authorisation(person)
		if err != nil {
			return err
		}
		all, err := a.store.Authorisations(ctx, person.Agency)
		if err != nil {
			return err
		}
		living := slices.DeleteFunc(all, func(u account.Authorisation) bool {
			return u.Account != want.Account || u.Scope != want.Scope || u.Decision != want.Decision || !u.Revoked.IsZero()
		})
		if c.Revoke {
			return c.revoke(ctx, a, person, living)
		}
		if slices.ContainsFunc(living, func(u account.Authorisation) bool { return u.From.Equal(want.From) && u.To.Equal(want.To) }) {
			return recorded(nil, false, authorisationLine(want), "authorisation")
		}
		return recorded(a.store.Authorise(ctx, person.Agency, want), true, authorisationLine(want), "authorisation")
	})
}

func (c authoriseCommand) authorisation(person account.Account) (account.Authorisation, error) {
	want := account.Authorisation{Account: person.ID, Scope: account.Scope(c.Scope), Decision: strings.TrimSpace(c.Decision), From: c.From, To: c.To}
	if want.From.IsZero() {
		want.From = certcopy.Day(time.Now())
	}
	role := map[account.Scope]certcopy.Role{account.MayCertify: certcopy.Certifier, account.MaySeal: certcopy.SealKeeper}[want.Scope]
	switch {
	case want.Decision == "" || len(want.Decision) > 200 || !want.To.IsZero() && want.To.Before(want.From):
		return want, certcopy.Errorf(certcopy.Invalid, "--decision", nil, certcopy.Msg(
			"Ủy quyền phải có số quyết định, và ngày kết thúc không trước ngày bắt đầu. Hãy xem lại.",
			"An authorisation needs the decision's number, and a last day not before the first. Look again."))
	case !c.Revoke && !slices.Contains(person.Roles, role):
		return want, certcopy.Errorf(certcopy.Invalid, person.Login, errors.New("role "+string(role)), certcopy.Msg(
			"Tài khoản chưa có vai trò mà ủy quyền này cần. Hãy thêm vai trò bằng `saoy user change --role …`.",
			"The account lacks the role this authorisation needs. Add it with `saoy user change --role …`."))
	}
	return want, nil
}

func (c authoriseCommand) revoke(ctx context.Context, a *app, person account.Account, living []account.Authorisation) error {
	for _, u := range living {
		if err := a.store.RevokeAuthorisation(ctx, person.Agency, u.ID); err != nil {
			return err
		}
	}
	return recorded(nil, len(living) > 0, fmt.Sprintf("Thu hồi ủy quyền %s của %s theo %s", c.Scope, person.Login, c.Decision), "revocation")
}

// authorisationLine is an authorisation in one line.
func authorisationLine(u account.Authorisation) string {
	text := fmt.Sprintf("%s: %s, từ/from %s", u.Scope, u.Decision, u.From.Format(time.DateOnly))
	if !u.To.IsZero() {
		text += " đến/to " + u.To.Format(time.DateOnly)
	}
	if !u.Revoked.IsZero() {
		text += ", đã thu hồi/revoked " + u.Revoked.In(certcopy.Vietnam).Format(time.DateOnly)
	}
	return text
}
