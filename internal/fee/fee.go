// Package fee computes what a certified copy costs. The tariff is dated data, not code: a new
// circular or a local resolution is another entry, and a copy of last year keeps last
// year's fee.
package fee

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Errors to test for.
var (
	// ErrTariff: the data are not a usable tariff.
	ErrTariff = errors.New("not a tariff")
	// ErrNoSchedule: no schedule is in force on the day.
	ErrNoSchedule = errors.New("no fee schedule for this day")
	// ErrReduction: the reduction is unknown or not in force on the day.
	ErrReduction = errors.New("no such fee reduction on this day")
)

// VND is an amount in Vietnamese đồng.
type VND int64

// Day is a calendar day in Viet Nam: midnight UTC of that day, "2006-01-02" in JSON.
type Day struct{ t time.Time }

// UnmarshalText reads "2006-01-02".
func (d *Day) UnmarshalText(b []byte) (err error) {
	d.t, err = time.Parse(time.DateOnly, string(b))
	return err
}

// MarshalText writes what UnmarshalText reads.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.t.Format(time.DateOnly)), nil }

// Schedule is the fee of one copy from a day on (TT 226/2016/TT-BTC Điều 4). Pages are those of
// the paper original: a page appended for the statement is free.
type Schedule struct {
	From  Day    `json:"from"`
	Basis string `json:"basis"` // the act, as people cite it
	// FirstPages pages cost FirstRate each, every further one Rate, a copy at most CapPerCopy.
	FirstPages int `json:"first_pages"`
	FirstRate  VND `json:"first_rate"`
	Rate       VND `json:"rate"`
	CapPerCopy VND `json:"cap_per_copy"`
}

// PerCopy returns the fee of one copy of an original of so many pages.
func (s Schedule) PerCopy(pages int) VND {
	first := max(0, min(pages, s.FirstPages))
	sum := VND(first)*s.FirstRate + VND(max(0, pages-first))*s.Rate
	return min(sum, s.CapPerCopy)
}

// Reduction is a dated exemption or discount by law or local resolution.
type Reduction struct {
	Code string `json:"code"`
	VI   string `json:"vi"`
	EN   string `json:"en"`
	// Basis is the act, as people cite it.
	Basis string `json:"basis"`
	// Percent taken off the sum: 100 is an exemption. Fractions of a đồng are dropped.
	Percent int  `json:"percent"`
	From    Day  `json:"from"`
	To      *Day `json:"to,omitempty"` // the last day; open if absent
}

// On reports whether the reduction is in force on the day.
func (r Reduction) On(day time.Time) bool {
	return !day.Before(r.From.t) && (r.To == nil || !day.After(r.To.t))
}

// Tariff is all that was ever in force.
type Tariff struct {
	Schedules  []Schedule  `json:"schedules"` // by From, ascending
	Reductions []Reduction `json:"reductions"`
}

//go:embed tariff.json
var statutory []byte

// Statutory returns the tariff of the law, without local reductions.
func Statutory() Tariff {
	t, err := Parse(statutory)
	if err != nil {
		panic(err) // the embedded file is checked by a test
	}
	return t
}

// Parse reads a tariff in JSON and checks it. Unknown keys are errors, which wrap ErrTariff.
func Parse(b []byte) (Tariff, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var t Tariff
	if err := d.Decode(&t); err != nil {
		return Tariff{}, fmt.Errorf("%w: %v", ErrTariff, err)
	}
	if err := t.check(); err != nil {
		return Tariff{}, fmt.Errorf("%w: %v", ErrTariff, err)
	}
	return t, nil
}

func (t Tariff) check() error {
	if len(t.Schedules) == 0 {
		return errors.New("no schedule")
	}
	for i, s := range t.Schedules {
		switch {
		case s.From.t.IsZero() || i > 0 && !s.From.t.After(t.Schedules[i-1].From.t):
			return fmt.Errorf("schedule %d: dates must ascend", i)
		case s.FirstPages < 0 || s.FirstRate < 0 || s.Rate < 0 || s.CapPerCopy < 0 || max(s.FirstRate, s.Rate, s.CapPerCopy) > 1e9:
			return fmt.Errorf("schedule %d: amounts must be from 0 to 1,000,000,000", i)
		}
	}
	seen := map[string]bool{}
	for _, r := range t.Reductions {
		if r.Code == "" || seen[r.Code] || r.VI == "" || r.EN == "" || r.Basis == "" || r.From.t.IsZero() || r.Percent < 1 || r.Percent > 100 {
			return fmt.Errorf("reduction %q: code must be its own, names, basis and date given, percent 1 to 100", r.Code)
		}
		seen[r.Code] = true
	}
	return nil
}

// On returns the schedule in force on a day, midnight UTC of the day in Viet Nam.
func (t Tariff) On(day time.Time) (Schedule, error) {
	i := len(t.Schedules) - 1
	for i >= 0 && day.Before(t.Schedules[i].From.t) {
		i--
	}
	if i < 0 {
		return Schedule{}, fmt.Errorf("%w: %s", ErrNoSchedule, day.Format(time.DateOnly))
	}
	return t.Schedules[i], nil
}

// Due returns what is to be paid on a day for copies of an original of so many pages; reduction
// is a code, or empty. Pages and copies must be positive and within the limits of a copy.
func (t Tariff) Due(day time.Time, pages, copies int, reduction string) (VND, error) {
	if pages < 1 || pages > MaxOriginalPages || copies < 1 || copies > certcopy.MaxCopiesOfBook {
		return 0, certcopy.Errorf(certcopy.Invalid, "", nil, certcopy.Msg(
			fmt.Sprintf("Số trang phải từ 1 đến %d và số bản từ 1 đến %d.", MaxOriginalPages, certcopy.MaxCopiesOfBook),
			fmt.Sprintf("Pages must be 1 to %d and copies 1 to %d.", MaxOriginalPages, certcopy.MaxCopiesOfBook)))
	}
	s, err := t.On(day)
	if err != nil {
		return 0, err
	}
	sum := s.PerCopy(pages) * VND(copies)
	if reduction == "" {
		return sum, nil
	}
	i := slices.IndexFunc(t.Reductions, func(r Reduction) bool { return r.Code == reduction && r.On(day) })
	if i < 0 {
		return 0, fmt.Errorf("%w: %q", ErrReduction, reduction)
	}
	return sum - sum*VND(t.Reductions[i].Percent)/100, nil
}

// MaxOriginalPages bounds the pages of a paper original for which a fee is computed.
const MaxOriginalPages = 10_000

// String writes the amount as Vietnamese do: "12.000 đ".
func (v VND) String() string {
	digits := fmt.Sprint(int64(max(v, -v)))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "." + digits[i:]
	}
	if v < 0 {
		digits = "-" + digits
	}
	return digits + " đ"
}
