package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/storage"
)

// agencyCommand opens and looks after agencies.
type agencyCommand struct {
	Add    agencyAddCommand    `cmd:"" help:"Open an agency with its book. The first one founds the installation."`
	Rename agencyRenameCommand `cmd:"" help:"Record the name an agency bears from a day on; copies keep the name of their date."`
	Seal   agencySealCommand   `cmd:"" help:"Record the image of an agency's seal that is drawn on its copies."`
	List   agencyListCommand   `cmd:"" help:"List the agencies."`
}

// agencyAddCommand opens an agency.
type agencyAddCommand struct {
	dataFlag
	agencyName
	ID         string    `arg:"" help:"Short name, for ever: lower-case letters, digits and hyphens."`
	Code       string    `help:"Identification code of the agency (mã định danh)." required:"" placeholder:"H08.35"`
	Book       string    `help:"Symbol of the book of certified copies." default:"SCT/BS"`
	From       time.Time `help:"Day from which it bears its name. Default: today." format:"2006-01-02" placeholder:"DAY"`
	SealAtOnce bool      `help:"Seal right after the certifier signed, without a seal keeper's confirmation."`
}

// agencyName is how an agency is called on its copies.
type agencyName struct {
	Name     string `help:"Full name." required:"" placeholder:"'Ủy ban nhân dân xã …'"`
	Place    string `help:"Place in the line of place and date." required:"" placeholder:"'Ân Tường Đông'"`
	Province string `help:"Province or city." required:""`
}

var agencyForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Run opens the agency. Said again with the same facts it changes nothing.
func (c agencyAddCommand) Run(ctx context.Context) error {
	if !agencyForm.MatchString(c.ID) {
		return certcopy.Errorf(certcopy.Invalid, c.ID, nil, certcopy.Msg(
			"Tên ngắn của cơ quan chỉ gồm chữ thường không dấu, số và dấu gạch nối, ví dụ an-tuong-dong.",
			"An agency's short name has lower-case letters, digits and hyphens only, for example an-tuong-dong."))
	}
	return onRecords(ctx, c.dataFlag, func(a *app) error {
		want := certcopy.Agency{ID: certcopy.AgencyID(c.ID), Code: c.Code, Name: c.Name, Place: c.Place, Province: c.Province,
			Book: certcopy.BookCode(c.Book), SealAtOnce: c.SealAtOnce, Demonstration: a.installation.Demonstration}
		err := a.store.OpenOffice(ctx, storage.Office{Agency: want, From: c.from()})
		if errors.Is(err, storage.ErrExists) {
			return a.sameAgency(ctx, want)
		}
		if err != nil {
			return err
		}
		fmt.Printf("Đã lập cơ quan %s (%s), sổ %s / agency opened.\n", c.ID, c.Name, c.Book)
		return nil
	})
}

func (c agencyAddCommand) from() time.Time {
	if c.From.IsZero() {
		return certcopy.Day(time.Now())
	}
	return c.From
}

// sameAgency is nil if the agency is there as it is wanted.
func (a *app) sameAgency(ctx context.Context, want certcopy.Agency) error {
	have, err := a.store.Agency(ctx, want.ID)
	if err != nil {
		return err
	}
	have.Suspended = want.Suspended
	if have != want {
		return certcopy.Errorf(certcopy.Conflict, string(want.ID), nil, certcopy.Msg(
			fmt.Sprintf("Đã có cơ quan này với thông tin khác (%s, mã %s, sổ %s); không có gì thay đổi. Muốn đổi tên, hãy dùng `saoy agency rename`.", have.Name, have.Code, have.Book),
			fmt.Sprintf("There is this agency with other facts (%s, code %s, book %s); nothing was changed. To rename it, use `saoy agency rename`.", have.Name, have.Code, have.Book)))
	}
	fmt.Printf("Cơ quan %s đã có, không thay đổi / agency exists, unchanged.\n", want.ID)
	return nil
}

// agencyRenameCommand records a name.
type agencyRenameCommand struct {
	dataFlag
	agencyName
	ID   string    `arg:"" help:"Agency."`
	From time.Time `help:"First day of the name." required:"" format:"2006-01-02" placeholder:"DAY"`
}

// Run records the name.
func (c agencyRenameCommand) Run(ctx context.Context) error {
	return onRecords(ctx, c.dataFlag, func(a *app) error {
		err := a.store.RenameAgency(ctx, certcopy.Agency{ID: certcopy.AgencyID(c.ID), Name: c.Name, Place: c.Place, Province: c.Province}, c.From)
		switch {
		case errors.Is(err, storage.ErrNotFound):
			return noAgency(c.ID, err)
		case errors.Is(err, storage.ErrExists):
			return certcopy.Errorf(certcopy.Conflict, c.ID, err, certcopy.Msg(
				"Cơ quan đã có tên khác từ ngày này; tên đã ghi không sửa được. Hãy chọn ngày khác.",
				"The agency has another name from that day on; what is recorded is not changed. Choose another day."))
		case err != nil:
			return err
		}
		fmt.Printf("Từ %s cơ quan %s mang tên %s / name recorded.\n", c.From.Format(time.DateOnly), c.ID, c.Name)
		return nil
	})
}

// agencySealCommand records the image of a seal.
type agencySealCommand struct {
	dataFlag
	ID   string `arg:"" help:"Agency."`
	File string `arg:"" help:"PNG with a transparent ground, the seal in its red, cropped to its rim." type:"path"`
}

// Run records the image. Copies drawn before keep theirs.
func (c agencySealCommand) Run(ctx context.Context) error {
	return onRecords(ctx, c.dataFlag, func(a *app) error {
		png, err := readImage(c.File, stamp.CheckSeal)
		if err != nil {
			return err
		}
		fresh, err := a.store.AddLook(ctx, certcopy.AgencyID(c.ID), "", png)
		if errors.Is(err, storage.ErrNotFound) {
			return noAgency(c.ID, err)
		}
		return recorded(err, fresh, "Ảnh con dấu của "+c.ID, "image of the seal")
	})
}

// maxImageBytes is what the ledger takes.
const maxImageBytes = 1 << 20

func readImage(path string, check func([]byte) error) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, explain(path, err)
	}
	if len(b) > maxImageBytes {
		return nil, certcopy.Errorf(certcopy.Invalid, path, nil, certcopy.Msg("Ảnh lớn hơn 1 MiB. Hãy thu nhỏ lại.", "The image is larger than 1 MiB. Make it smaller."))
	}
	return b, check(b)
}

// recorded says what became of a thing that is recorded once.
func recorded(err error, fresh bool, vi, en string) error {
	if err != nil {
		return err
	}
	if fresh {
		fmt.Printf("%s: đã ghi / %s recorded.\n", vi, en)
	} else {
		fmt.Printf("%s: đã có, không thay đổi / %s unchanged.\n", vi, en)
	}
	return nil
}

// agencyListCommand lists the agencies.
type agencyListCommand struct{ dataFlag }

// Run prints one line an agency.
func (c agencyListCommand) Run(ctx context.Context) error {
	return onRecords(ctx, c.dataFlag, func(a *app) error {
		ids, err := a.store.Agencies(ctx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			g, err := a.store.Agency(ctx, id)
			if err != nil {
				return err
			}
			fmt.Printf("%-24s %-10s %-8s %s, %s\n", g.ID, g.Code, g.Book, g.Name, g.Province)
		}
		return nil
	})
}

// onRecords opens the ledger of an installation, and nothing beside it, for a command that
// writes into it or reads.
func onRecords(ctx context.Context, data dataFlag, do func(*app) error) error {
	a, err := open(ctx, Config{dataFlag: data}, records)
	if err != nil {
		return err
	}
	defer a.close()
	return do(a)
}

func noAgency(id string, err error) error {
	return certcopy.Errorf(certcopy.NotFound, strings.TrimSpace(id), err, certcopy.Msg(
		"Không có cơ quan này. Hãy xem `saoy agency list`.", "There is no such agency. See `saoy agency list`."))
}
