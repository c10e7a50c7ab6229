package fee

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

func on(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestStatutoryFee(t *testing.T) {
	for _, c := range []struct {
		pages, copies int
		want          VND
	}{
		{1, 1, 2_000}, {2, 1, 4_000}, {3, 1, 5_000}, {4, 1, 6_000}, {10, 1, 12_000}, {197, 1, 199_000}, {198, 1, 200_000}, {199, 1, 200_000}, {10_000, 1, 200_000},
		{1, 10, 20_000}, {3, 2, 10_000}, {500, 3, 600_000}, {10_000, 1000, 200_000_000},
	} {
		got, err := Statutory().Due(on("2026-11-22"), c.pages, c.copies, "")
		if err != nil || got != c.want {
			t.Errorf("%d pages, %d copies: %v, %v; want %v", c.pages, c.copies, got, err, c.want)
		}
	}
}

func TestDueRefuses(t *testing.T) {
	for _, c := range [][2]int{{0, 1}, {-1, 1}, {1, 0}, {1, -5}, {10_001, 1}, {1, 1001}} {
		if v, err := Statutory().Due(on("2026-11-22"), c[0], c[1], ""); certcopy.CodeOf(err) != certcopy.Invalid || v != 0 {
			t.Errorf("%v: %v, %v", c, v, err)
		}
	}
	if _, err := Statutory().Due(on("2016-12-31"), 1, 1, ""); !errors.Is(err, ErrNoSchedule) {
		t.Errorf("before the first schedule: %v", err)
	}
	if _, err := Statutory().Due(on("2026-11-22"), 1, 1, "poor"); !errors.Is(err, ErrReduction) {
		t.Errorf("unknown reduction: %v", err)
	}
}

const local = `{"schedules":[
 {"from":"2017-01-01","basis":"a","first_pages":2,"first_rate":2000,"rate":1000,"cap_per_copy":200000},
 {"from":"2027-07-01","basis":"b","first_pages":0,"first_rate":0,"rate":500,"cap_per_copy":100000}],
 "reductions":[{"code":"online","vi":"Trực tuyến","en":"Online","basis":"c","percent":50,"from":"2026-01-01","to":"2026-12-31"},
 {"code":"poor","vi":"Hộ nghèo","en":"Poor household","basis":"d","percent":100,"from":"2026-01-01"},
 {"code":"third","vi":"Một phần ba","en":"A third","basis":"e","percent":33,"from":"2026-01-01"}]}`

func TestDatedTariff(t *testing.T) {
	tariff, err := Parse([]byte(local))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		day, reduction string
		want           VND
		err            error
	}{
		{"2027-06-30", "", 5_000, nil}, {"2027-07-01", "", 1_500, nil},
		{"2025-12-31", "online", 0, ErrReduction}, {"2026-01-01", "online", 2_500, nil}, {"2026-12-31", "online", 2_500, nil}, {"2027-01-01", "online", 0, ErrReduction},
		{"2030-01-01", "poor", 0, nil}, {"2026-05-05", "third", 3_350, nil},
	} {
		got, err := tariff.Due(on(c.day), 3, 1, c.reduction)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s %s: %v, %v; want %v, %v", c.day, c.reduction, got, err, c.want, c.err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, edit := range map[string][2]string{
		"unknown key": {`"basis":"a"`, `"basys":"a"`}, "negative": {`"rate":1000`, `"rate":-1`}, "huge": {`"rate":1000`, `"rate":9000000000`}, "order": {`2017-01-01`, `2028-01-01`}, "bad date": {`2017-01-01`, `2017-13-01`},
		"percent": {`"percent":50`, `"percent":101`}, "twice": {`"code":"poor"`, `"code":"online"`}, "no basis": {`"basis":"c"`, `"basis":""`},
	} {
		bad := strings.Replace(local, edit[0], edit[1], 1)
		if _, err := Parse([]byte(bad)); bad == local || !errors.Is(err, ErrTariff) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "{}", `{"schedules":[]}`, "[]"} {
		if _, err := Parse([]byte(bad)); !errors.Is(err, ErrTariff) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAmountsAreWrittenAsPeopleDo(t *testing.T) {
	for v, want := range map[VND]string{0: "0 đ", 999: "999 đ", 2000: "2.000 đ", 200000: "200.000 đ", 1234567: "1.234.567 đ", -5000: "-5.000 đ"} {
		if v.String() != want {
			t.Errorf("%d: %q, want %q", int64(v), v, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(local))
	f.Add(statutory)
	f.Fuzz(func(t *testing.T, b []byte) {
		tariff, err := Parse(b)
		if err != nil {
			return
		}
		v, err := tariff.Due(on("2026-11-22"), 10_000, 1000, "")
		if err == nil && v < 0 {
			t.Fatalf("a fee of %d from %q", v, b)
		}
	})
}
