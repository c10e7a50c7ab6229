package stamp

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestStatutoryTemplates(t *testing.T) {
	var last time.Time
	for _, template := range Statutory() {
		if err := template.Validate(); err != nil {
			t.Errorf("%s: %v", template.Name, err)
		}
		if !template.From.After(last) {
			t.Errorf("%s: not in the order of dates", template.Name)
		}
		last = template.From
		for _, text := range template.texts() {
			if strings.Contains(template.Heading+strings.Join(template.Lines, ""), "điện tử") {
				t.Errorf("%s: the statutory statement has no word “điện tử”: %s", template.Name, text)
			}
		}
	}
}

func TestTemplateAt(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	old, later := Statutory()[0], Statutory()[0]
	later.Name, later.From = "later", day("2027-03-01")
	for _, templates := range [][]Template{{old, later}, {later, old}} {
		for on, want := range map[string]string{"2025-11-01": old.Name, "2027-02-28": old.Name, "2027-03-01": "later", "2030-01-01": "later"} {
			if got, err := TemplateAt(templates, day(on)); err != nil || got.Name != want {
				t.Errorf("%s: got %q, %v, want %q", on, got.Name, err, want)
			}
		}
		if _, err := TemplateAt(templates, day("2025-10-31")); !errors.Is(err, ErrTemplate) {
			t.Errorf("before the first: %v", err)
		}
	}
}

func TestTemplateValidate(t *testing.T) {
	for name, change := range map[string]func(*Template){
		"no number":        func(t *Template) { t.Lines[0] = "Số quyển số {book}" },
		"number twice":     func(t *Template) { t.Lines[0] += " {number}" },
		"no book":          func(t *Template) { t.Lines[0] = "Số {number}" },
		"no day":           func(t *Template) { t.Lines[1] = "tháng {month} năm {year}" },
		"no year":          func(t *Template) { t.Lines[1] = "Ngày {day} tháng {month}" },
		"unknown field":    func(t *Template) { t.Heading += " {requester}" },
		"open brace":       func(t *Template) { t.Signer += " {" },
		"close brace":      func(t *Template) { t.Signer += " }" },
		"no agency":        func(t *Template) { t.ConversionMark = "Mã: {code}" },
		"no code":          func(t *Template) { t.ConversionMark = "{agency}" },
		"empty text":       func(t *Template) { t.CodeLine = " " },
		"no lines":         func(t *Template) { t.Lines = nil },
		"seven lines":      func(t *Template) { t.Lines = append(t.Lines, "a", "b", "c", "d", "e") },
		"endless line":     func(t *Template) { t.Lines[1] += strings.Repeat("a", 300) },
		"unprintable sign": func(t *Template) { t.Heading += " ☂" },
	} {
		template := Statutory()[0]
		change(&template)
		if err := template.Validate(); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: got %v, want ErrTemplate", name, err)
		}
	}
}

// A separate form that names volume and year apart is allowed.
func TestTemplateWithVolume(t *testing.T) {
	template := Statutory()[0]
	template.Lines[0] = "Số chứng thực {number}/ĐT, quyển số {volume}/{year}, {place}"
	if err := template.Validate(); err != nil {
		t.Fatal(err)
	}
	f := someFacts(t)
	f.Template = template
	got, err := expand(template.Lines[0], f.values())
	if err != nil || got != "Số chứng thực 1234/ĐT, quyển số 01/2026, Ân Tường Đông" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A value with braces is text, not a field.
func TestValuesAreNotExpandedAgain(t *testing.T) {
	got, err := expand("{agency}", values{"agency": "{number} } {"})
	if err != nil || got != "{number} } {" {
		t.Errorf("got %q, %v", got, err)
	}
	f := someFacts(t)
	f.Agency.Name, f.Official.Name = "Ủy ban {number}", "Nguyễn {year} An"
	mustStamp(t, f, a4)
}

// NĐ 30/2020: days under 10, January and February have a leading zero, March has not.
func TestDateIsWrittenAsTheRulesSay(t *testing.T) {
	for date, want := range map[string]string{"2026-01-09": "09/01", "2026-02-28": "28/02", "2026-03-01": "01/3", "2026-12-31": "31/12"} {
		f := someFacts(t)
		f.Number.Date, _ = time.Parse(time.DateOnly, date)
		if got, err := expand("{day}/{month}", f.values()); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", date, got, err, want)
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, template := range Statutory() {
		for _, text := range template.texts() {
			f.Add(text)
		}
	}
	f.Add("{")
	f.Add("}{number}")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := expand(text, emptyValues)
		if err != nil {
			if !errors.Is(err, ErrTemplate) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if strings.ContainsAny(got, "{}") || len(got) > len(text) {
			t.Fatalf("%q gives %q", text, got)
		}
	})
}

// TestTemplateIsReadStrictly: what a template says is what was written, or it is refused.
func TestTemplateIsReadStrictly(t *testing.T) {
	written := Statutory()[0]
	written.OwnPage, written.BodySize = true, 14
	b, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ReadTemplate(b); err != nil || !reflect.DeepEqual(got, written) {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, text := range map[string]string{
		"empty": ``, "no object": `[]`, "half": string(b[:len(b)/2]), "an unknown member": `{"watermark":"x",` + string(b[1:]),
		"no number": strings.Replace(string(b), "{number}", "", 1), "a size too small": strings.Replace(string(b), `"body_size":14`, `"body_size":8`, 1),
	} {
		if _, err := ReadTemplate([]byte(text)); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadTemplate(f *testing.F) {
	b, err := json.Marshal(Statutory()[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"lines":["{number}{book}{day}{month}{year}"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ReadTemplate(b); err == nil && got.Validate() != nil {
			t.Error("read, and not valid")
		}
	})
}
