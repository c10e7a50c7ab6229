package main

import (
	"context"
	"fmt"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// demonstrators are the people for whom a command may act: those of an agency whose keys are
// demonstration keys.
type demonstrators struct {
	agency                       certcopy.AgencyID
	clerk, certifier, sealKeeper certcopy.AccountID
}

// demonstrators finds them in the installation's only agency.
func (a *app) demonstrators(ctx context.Context) (demonstrators, error) {
	agencies, err := a.store.Agencies(ctx)
	if err != nil {
		return demonstrators{}, err
	}
	if len(agencies) != 1 {
		return demonstrators{}, fmt.Errorf("%d agencies, want one", len(agencies))
	}
	agency, err := a.store.Agency(ctx, agencies[0])
	if err != nil {
		return demonstrators{}, err
	}
	if !agency.Demonstration {
		return demonstrators{}, certcopy.Errorf(certcopy.Forbidden, string(agency.ID), nil, certcopy.Msg(
			"Dòng lệnh chỉ chứng thực thay người có thẩm quyền trong bản trình diễn. Ở cơ quan thật, người có thẩm quyền phải tự xác nhận trên trang làm việc.",
			"The command line certifies for officials in a demonstration only. In a real agency the official confirms on the office's site."))
	}
	people, err := a.store.Accounts(ctx, agency.ID)
	if err != nil {
		return demonstrators{}, err
	}
	d := demonstrators{agency: agency.ID, clerk: holder(people, certcopy.Clerk),
		certifier: holder(people, certcopy.Certifier), sealKeeper: holder(people, certcopy.SealKeeper)}
	if d.clerk == "" || d.certifier == "" || d.sealKeeper == "" {
		return d, fmt.Errorf("agency %s lacks a clerk, a certifier or a seal keeper", agency.ID)
	}
	return d, nil
}

// holder returns the first account that holds a role.
func holder(people []account.Account, role certcopy.Role) certcopy.AccountID {
	for _, p := range people {
		if p.Has(role) {
			return p.ID
		}
	}
	return ""
}

// confirmation confirms a copy as it is now.
func (d demonstrators) confirmation(by certcopy.AccountID, c certcopy.Copy) storage.Confirmation {
	return storage.Confirmation{Agency: d.agency, By: by, Shown: map[certcopy.CopyID]certcopy.Digest{c.ID: c.Submission}}
}
