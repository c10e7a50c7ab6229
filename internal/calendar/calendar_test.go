package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, certcopy.Vietnam)
	if err != nil {
		panic(err)
	}
	return t
}

func TestDeadline(t *testing.T) {
	c := National()
	for _, x := range []struct {
		name, received string
		extension      int
		want           string
		slip           bool
	}{
		{"morning", "2026-11-16 08:00:00", 0, "2026-11-16", false},
		{"15:00 sharp is not after 15:00", "2026-11-16 15:00:00", 0, "2026-11-16", false},
		{"a second later", "2026-11-16 15:00:01", 0, "2026-11-17", true},
		{"Friday afternoon", "2026-11-27 16:00:00", 0, "2026-11-30", true},
		{"Saturday counts as Monday", "2026-11-28 16:00:00", 0, "2026-11-30", true},
		{"extended", "2026-11-16 08:00:00", 2, "2026-11-18", true},
		{"extended, afternoon", "2026-11-26 15:30:00", 2, "2026-12-01", true},
		{"before the long Tết", "2026-02-13 15:30:00", 0, "2026-02-23", true},
		{"on a holiday", "2026-02-17 09:00:00", 0, "2026-02-23", true},
		{"a worked Saturday", "2026-08-22 09:00:00", 0, "2026-08-22", false},
		{"before a worked Saturday", "2026-08-21 17:00:00", 0, "2026-08-22", true},
		{"holiday that follows a week-end", "2026-04-24 15:01:00", 0, "2026-04-28", true},
	} {
		d, err := c.Deadline(at(x.received), x.extension)
		if err != nil || d.Day.Format(time.DateOnly) != x.want || d.Slip != x.slip || d.Provisional {
			t.Errorf("%s: %+v, %v; want %s slip=%v", x.name, d, err, x.want, x.slip)
		}
		utc, _ := c.Deadline(at(x.received).UTC(), x.extension)
		if !utc.Day.Equal(d.Day) {
			t.Errorf("%s: in UTC %v", x.name, utc.Day)
		}
	}
}

func TestYearsNotAnnouncedAreProvisional(t *testing.T) {
	c := National()
	for _, received := range []string{"2026-12-31 16:00:00", "2040-05-05 08:00:00", "2025-12-31 16:00:00"} {
		if d, err := c.Deadline(at(received), 0); err != nil || !d.Provisional {
			t.Errorf("%s: %+v, %v", received, d, err)
		}
	}
}

// TestOpenDaysBindTheOffice: a holiday by policy counts as a working day, and is said so.
func TestOpenDaysBindTheOffice(t *testing.T) {
	c := National()
	for received, provisional := range map[string]bool{"2026-11-23 14:00:00": false, "2026-11-23 16:00:00": true, "2026-11-24 08:00:00": true, "2026-11-25 08:00:00": false} {
		d, err := c.Deadline(at(received), 0)
		if err != nil || d.Provisional != provisional || d.Day.After(at(received).AddDate(0, 0, 1)) {
			t.Errorf("%s: %+v, %v", received, d, err)
		}
	}
}

func TestExtensionIsBounded(t *testing.T) {
	for _, n := range []int{-1, 3} {
		if _, err := National().Deadline(at("2026-11-23 08:00:00"), n); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestHolidayNames(t *testing.T) {
	if m, ok := National().Holiday(at("2026-09-02 23:59:59")); !ok || m.VI != "Quốc khánh" {
		t.Errorf("%v %v", m, ok)
	}
	if _, ok := National().Holiday(at("2026-09-03 00:00:00")); ok {
		t.Error("3 September is a holiday")
	}
}

func TestZeroCalendarKnowsWeekEnds(t *testing.T) {
	var c Calendar
	if c.Working(at("2026-11-22 12:00:00")) || !c.Working(at("2026-11-23 12:00:00")) {
		t.Error("Sunday and Monday are mixed up")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, bad := range map[string]string{
		"not JSON": "x", "unknown key": `{"of":[]}`, "bad day": `{"off":[{"day":"2026-02-30","vi":"a","en":"b"}]}`, "no name": `{"off":[{"day":"2026-02-16"}]}`,
		"week-end off": `{"off":[{"day":"2026-11-22","vi":"a","en":"b"}]}`, "weekday on": `{"on":[{"day":"2026-11-23","vi":"a","en":"b"}]}`,
		"twice": `{"off":[` + strings.Repeat(`{"day":"2026-11-23","vi":"a","en":"b"},`, 2) + `{"day":"2026-11-24","vi":"a","en":"b"}]}`,
	} {
		if _, err := Parse([]byte(bad)); !errors.Is(err, ErrCalendar) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(national)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Parse(b)
		if err != nil {
			return
		}
		start := at("2026-11-23 16:00:00")
		if d := c.After(start, 3); !d.After(start) {
			t.Fatalf("%v is not after %v", d, start)
		}
	})
}
