package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
)

// acceptCommand records a person's decision to go on with a restored installation, and from
// which numbers.
type acceptCommand struct {
	dataFlag
	By            string   `required:"" help:"Who decides: name and office."`
	Decision      string   `required:"" help:"Number and date of the decision."`
	Last          []string `help:"Last number known to have been given, as AGENCY:BOOK:YEAR=NUMBER. Repeatable; numbers up to it that are not in the book are left out for ever."`
	Skip          int64    `help:"For every book without --last: leave out so many numbers after the restored ones."`
	NothingIssued bool     `help:"Declare that no number was given after the backup was made."`
}

// Run records the decision; from then on the installation serves.
func (c acceptCommand) Run(ctx context.Context) error {
	if _, err := os.Stat(c.Data); err != nil {
		return noData(c.Data)
	}
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Roles: allRoles}, toCheck)
	if err != nil {
		return err
	}
	defer a.close()
	r, err := a.store.Unaccepted(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return certcopy.Errorf(certcopy.Conflict, c.Data, nil, certcopy.Msg(
			"Bản cài đặt này không chờ quyết định khôi phục nào.", "No restoration of this installation waits for a decision."))
	}
	if err != nil {
		return err
	}
	last, err := c.last(ctx, a, r)
	if err != nil {
		return err
	}
	if err := postgres.AcceptRestoration(ctx, a.ownerURL(), storage.Acceptance{By: c.By, Decision: c.Decision, Last: last}); err != nil {
		return err
	}
	for _, l := range last {
		fmt.Printf("%s %s: số tiếp theo / next number %d/%d\n", l.Agency, l.Book, l.Seq+1, l.Year)
	}
	resumed, err := a.store.Resume(ctx)
	if err == nil {
		fmt.Printf("Đã ghi quyết định / recorded: %s. %d bản sao làm tiếp / copies go on.\n", c.Decision, resumed)
	}
	return err
}

// last returns the last numbers of all books: as given, or so many after the restored ones.
func (c acceptCommand) last(ctx context.Context, a *app, r storage.Restoration) ([]storage.LastNumber, error) {
	if err := c.enough(r); err != nil {
		return nil, err
	}
	given := map[string]bool{}
	var all []storage.LastNumber
	for _, text := range c.Last {
		l, err := parseLast(text)
		if err != nil {
			return nil, err
		}
		given[string(l.Agency)+":"+string(l.Book)] = true
		all = append(all, l)
	}
	counters, err := a.store.Counters(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range counters {
		if given[string(n.Agency)+":"+string(n.Book)] {
			continue
		}
		if c.Skip == 0 && !c.NothingIssued {
			return nil, undecided(fmt.Errorf("%s:%s is at %d/%d", n.Agency, n.Book, n.Seq, n.Year))
		}
		all = append(all, storage.LastNumber{Agency: n.Agency, Book: n.Book, Year: n.Year, Seq: n.Seq + c.Skip})
	}
	return all, nil
}

// enough refuses what is known to be wrong.
func (c acceptCommand) enough(r storage.Restoration) error {
	lost := r.KnownSize - r.Size
	switch {
	case c.Skip < 0:
		return undecided(errors.New("--skip is negative"))
	case c.NothingIssued && c.Skip > 0:
		return undecided(errors.New("--skip and --nothing-issued exclude each other"))
	case c.NothingIssued && lost > 0:
		return undecided(fmt.Errorf("%d leaves were published after the backup", lost))
	case !c.NothingIssued && c.Skip == 0 && len(c.Last) == 0:
		return undecided(errors.New("neither --last, --skip nor --nothing-issued"))
	case c.Skip > 0 && c.Skip < lost:
		return undecided(fmt.Errorf("--skip %d, but %d leaves were published after the backup", c.Skip, lost))
	}
	return nil
}

func undecided(err error) error {
	return certcopy.Errorf(certcopy.Invalid, "accept-restore", err, certcopy.Msg(
		"Phải nói rõ số cuối đã cấp của từng sổ (--last AGENCY:BOOK:YEAR=SỐ, xem trên giấy tờ đã phát), hoặc bỏ cách đủ nhiều số (--skip), hoặc cam kết không cấp số nào sau khi sao lưu (--nothing-issued). Một số không được cấp hai lần.",
		"Say the last number given in each book (--last AGENCY:BOOK:YEAR=NUMBER, see the papers that left the office), or leave out enough numbers (--skip), or declare that none was given after the backup (--nothing-issued). No number may be given twice."))
}

func parseLast(text string) (l storage.LastNumber, err error) {
	where, number, ok := strings.Cut(text, "=")
	parts := strings.Split(where, ":")
	if ok && len(parts) == 3 {
		l.Agency, l.Book = certcopy.AgencyID(parts[0]), certcopy.BookCode(parts[1])
		year, yearErr := strconv.Atoi(parts[2])
		seq, seqErr := strconv.ParseInt(number, 10, 64)
		if l.Year, l.Seq = year, seq; yearErr == nil && seqErr == nil && year >= 2000 && year < 10000 && seq >= 0 {
			return l, nil
		}
	}
	return l, undecided(fmt.Errorf("%q is not AGENCY:BOOK:YEAR=NUMBER", text))
}

// refuseUnaccepted keeps a restored installation from issuing anything until a person has
// said which numbers were given after the backup.
func (a *app) refuseUnaccepted(ctx context.Context) error {
	r, err := a.store.Unaccepted(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	cause := fmt.Errorf("backup %s, %d leaves", r.Backup, r.Size)
	if r.KnownSize > r.Size {
		cause = fmt.Errorf("%w; %d leaves were published", cause, r.KnownSize)
	}
	return certcopy.Errorf(certcopy.Conflict, a.config.Data, cause, certcopy.Msg(
		"Bản cài đặt vừa được khôi phục từ bản sao lưu; có thể đã cấp số sau khi sao lưu. Trước khi làm tiếp, hãy chạy `saoy accept-restore`.",
		"The installation was restored from a backup; numbers may have been given after it was made. Before going on, run `saoy accept-restore`."))
}

// refuseRestoring keeps every command from a directory that is half restored.
func (p place) refuseRestoring() error {
	b, err := os.ReadFile(p.restoring())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return certcopy.Errorf(certcopy.Conflict, string(p), fmt.Errorf("backup %s", strings.TrimSpace(string(b))), certcopy.Msg(
		"Thư mục này đang khôi phục dở. Hãy chạy lại đúng lệnh `saoy restore` đã dùng; việc đã làm được dùng lại.",
		"This directory is half restored. Run the same `saoy restore` again; what was done is used."))
}
