// Package calendar knows working days and by when a request must be answered: the same day,
// or the next working day if it came after 15:00 (NĐ 23/2015 Điều 7).
//
// Holidays are dated data, because the Government announces them year by year. Times are
// passed in; the day is reckoned in Viet Nam.
package calendar

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

// ErrCalendar: the data are not a usable calendar.
var ErrCalendar = errors.New("not a calendar")

// CutOff is the hour of the day after which a request may be answered the next working day.
const CutOff = 15 * time.Hour

// MaxExtension is how many working days many pages, many copies or hard comparison may add
// without a written agreement.
const MaxExtension = 2

// Day is one announced day: "2006-01-02" and its name.
type Day struct {
	Day string `json:"day"`
	VI  string `json:"vi"`
	EN  string `json:"en"`
}

// Calendar is Monday to Friday but for announced days. The zero Calendar knows no holiday.
type Calendar struct {
	off, on, open map[string]Day
	years         []int
}

type data struct {
	Years []int `json:"years"` // whose days are announced, but for the open ones
	// Open days are holidays by policy that no act in force has made days off. They count as
	// working days, which binds the office and not the citizen.
	Open []Day `json:"open"`
	Off  []Day `json:"off"` // holidays and days exchanged
	On   []Day `json:"on"`  // Saturdays and Sundays worked in exchange
}

//go:embed holidays.json
var national []byte

// National returns the days announced when this version was made.
func National() *Calendar {
	c, err := Parse(national)
	if err != nil {
		panic(err) // the embedded file is checked by a test
	}
	return c
}

// Parse reads a calendar in JSON. Unknown keys are errors, which wrap ErrCalendar.
func Parse(b []byte) (*Calendar, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var in data
	if err := d.Decode(&in); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCalendar, err)
	}
	c := &Calendar{off: map[string]Day{}, on: map[string]Day{}, open: map[string]Day{}, years: in.Years}
	if err := errors.Join(fill(c.off, in.Off, false), fill(c.on, in.On, true), fill(c.open, in.Open, false)); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrCalendar, err)
	}
	return c, nil
}

// fill checks days: an exception that is none is a typing error.
func fill(m map[string]Day, days []Day, weekend bool) error {
	for _, d := range days {
		t, err := time.Parse(time.DateOnly, d.Day)
		if err != nil || d.VI == "" || d.EN == "" {
			return fmt.Errorf("%q: want a day as 2006-01-02 and names in both languages", d.Day)
		}
		if _, twice := m[d.Day]; twice || isWeekend(t) != weekend {
			return fmt.Errorf("%s is listed twice, or already is what the entry makes it", d.Day)
		}
		m[d.Day] = d
	}
	return nil
}

func isWeekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// Working reports whether the day of t in Viet Nam is a working day.
func (c *Calendar) Working(t time.Time) bool {
	t = t.In(certcopy.Vietnam)
	key := t.Format(time.DateOnly)
	if _, off := c.off[key]; off {
		return false
	}
	_, on := c.on[key]
	return on || !isWeekend(t)
}

// Holiday returns the name of an announced day off.
func (c *Calendar) Holiday(t time.Time) (certcopy.Message, bool) {
	d, ok := c.off[t.In(certcopy.Vietnam).Format(time.DateOnly)]
	return certcopy.Msg(d.VI, d.EN), ok
}

// After returns the n-th working day after the day of t, as midnight in Viet Nam; for n = 0 the
// day of t itself if it is one, else the next.
func (c *Calendar) After(t time.Time, n int) time.Time {
	t = midnight(t)
	for !c.Working(t) {
		t = t.AddDate(0, 0, 1)
	}
	for ; n > 0; n-- {
		t = t.AddDate(0, 0, 1)
		for !c.Working(t) {
			t = t.AddDate(0, 0, 1)
		}
	}
	return t
}

func midnight(t time.Time) time.Time {
	y, m, d := t.In(certcopy.Vietnam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, certcopy.Vietnam)
}

// Deadline is by when a request must be answered.
type Deadline struct {
	// Day is the last day, as midnight in Viet Nam.
	Day time.Time
	// Slip: the law asks for an appointment slip, because it is not the day of receipt.
	Slip bool
	// Provisional: the holidays of a year it touches are not announced here, or an open day lies
	// in it.
	Provisional bool
}

// Deadline returns the deadline of a request received at a time, with 0 to MaxExtension working
// days added. A request that comes on a day off counts as received at the opening of the next
// working day. Errors are certcopy.Invalid.
func (c *Calendar) Deadline(received time.Time, extension int) (Deadline, error) {
	if extension < 0 || extension > MaxExtension {
		return Deadline{}, certcopy.Errorf(certcopy.Invalid, "", nil, certcopy.Msg(
			"Chỉ được kéo dài thêm không quá 02 ngày làm việc; lâu hơn phải có thỏa thuận bằng văn bản.",
			"At most 2 working days may be added; more needs a written agreement."))
	}
	days := extension
	if c.Working(received) && received.In(certcopy.Vietnam).Sub(midnight(received)) > CutOff {
		days++
	}
	day := c.After(received, days)
	return Deadline{Day: day, Slip: !day.Equal(midnight(received)), Provisional: c.provisional(midnight(received), day)}, nil
}

// provisional reports whether any day from the first to the last is not settled.
func (c *Calendar) provisional(first, last time.Time) bool {
	for t := first; !t.After(last); t = t.AddDate(0, 0, 1) {
		if _, open := c.open[t.Format(time.DateOnly)]; open || !slices.Contains(c.years, t.Year()) {
			return true
		}
	}
	return false
}
