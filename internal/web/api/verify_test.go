package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/signer/validation"
)

func digest(n int) string { return fmt.Sprintf("%064x", n+1) }

func TestBatches(t *testing.T) {
	w := newWorld(t)
	var items []string
	for i := range maxLookups {
		items = append(items, `{"sha256":"`+digest(i)+`"}`)
	}
	items[3], items[5], items[7] = `{"code":"wrong"}`, `{}`, `{"sha256":"x"}`
	batch := func(items ...string) string { return `{"items":[` + strings.Join(items, ",") + `]}` }
	var out Batch
	w.ask("verify", "POST", "/verifications", batch(items...)).is(200).into(&out)
	if len(out.Results) != maxLookups {
		t.Fatalf("%d results", len(out.Results))
	}
	for i, r := range out.Results {
		bad := i == 3 || i == 5 || i == 7
		if bad != (r.Problem != nil) || bad == (r.Report != nil) || !bad && r.Report.SHA256 != digest(i) {
			t.Fatalf("result %d: %+v", i, r)
		}
	}
	if p := out.Results[3].Problem; p.Status != 422 || p.Vi == "" || p.Reference == "" {
		t.Errorf("%+v", p)
	}
	w.ask("verify", "POST", "/verifications", batch()).is(422)
	w.ask("verify", "POST", "/verifications", batch(append(items, items[0])...)).is(422, "1000")
	w.ask("verify", "POST", "/verifications", `{"items":[{"code":"a"}],"code":"b"}`).is(422)
}

func TestFilesInOneForm(t *testing.T) {
	w := newWorld(t)
	body, kind := multi("one", "two", strings.Repeat("three", 100))
	var out Batch
	w.ask("verify", "POST", "/verifications", body, "Content-Type", kind).is(200).into(&out)
	for i, f := range []string{"one", "two", strings.Repeat("three", 100)} {
		if r := out.Results[i].Report; r == nil || r.SHA256 != certcopy.DigestOf([]byte(f)).String() {
			t.Errorf("file %d: %+v", i, r)
		}
	}
	body, kind = multi(make([]string, maxFiles+1)...)
	w.ask("verify", "POST", "/verifications", body, "Content-Type", kind).is(422, "20")
	body, kind = multi()
	w.ask("verify", "POST", "/verifications", body, "Content-Type", kind).is(422)
}

// TestUnknownFieldsAreRefused: a misspelt field is not as if it had not been sent.
func TestUnknownFieldsAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ path, body, field string }{
		{"/verifications", `{"sha256":"` + digest(1) + `","Code2":"x"}`, "Code2"},
		{"/verifications", `{"items":[{"sha265":"` + digest(1) + `"}]}`, "sha265"},
		{"/requests", `{"requester":{"name":"A","adress":"x"},"originals":[{"type":"khac","title":"T","pages":1}]}`, "adress"},
		{"/certifications", `{"copies":[{"id":"x","submission":"y","force":true}]}`, "force"},
	} {
		w.ask("all", "POST", c.path, c.body).is(422, `"subject":"`+c.field+`"`)
	}
	w.ask("verify", "POST", "/verifications", `{"sha256":"`+digest(1)+`"} {}`).is(422, "thừa")
	w.ask("verify", "POST", "/verifications", `{"code":"`+strings.Repeat("x", maxJSON)+`"}`).is(413)
}

func TestClientsHaveABudget(t *testing.T) {
	w := newWorld(t)
	many := `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"sha256":"`+digest(1)+`"},`, maxLookups), ",") + `]}`
	status := 0
	for range 5 {
		if status = w.ask("verify", "POST", "/verifications", many).Code; status != 200 {
			break
		}
	}
	if status != 429 {
		t.Errorf("five thousand look-ups at once: %d", status)
	}
	w.ask("verify", "POST", "/verifications", `{"sha256":"`+digest(1)+`"}`).is(429)
	w.ask("all", "POST", "/verifications", `{"sha256":"`+digest(1)+`"}`).is(200) // another client
}

// notary signs by saying so.
type notary struct{ err error }

func (n notary) SignResult(_ context.Context, b []byte) ([]byte, error) {
	return append(bytes.Clone(b), "signed"...), n.err
}

type drawer struct{ asked *picture.Ask }

func (d drawer) Look(_ context.Context, _ io.ReaderAt, _ int64, a picture.Ask) (*picture.Look, error) {
	*d.asked = a
	return &picture.Look{}, nil
}

func TestDocuments(t *testing.T) {
	w := newWorld(t)
	body, kind := multi("hello")
	w.ask("", "POST", "/verifications?format=pdf", body, "Content-Type", kind).is(503, "chưa được cấu hình")

	var asked picture.Ask
	w = newWorldWith(t, func(c *Config) { c.Results, c.Pictures = notary{}, drawer{&asked} })
	a := w.ask("verify", "POST", "/verifications", body, "Content-Type", kind, "Accept", "application/pdf").is(200, "%PDF-1.7", "signed")
	if a.Header().Get("Content-Type") != "application/pdf" || !strings.Contains(a.Header().Get("Content-Disposition"), "attachment") || asked.Thumbnails == 0 {
		t.Errorf("%v %+v", a.Header(), asked)
	}
	w.ask("", "POST", "/verifications", body, "Content-Type", kind).is(401)
	w.ask("", "POST", "/requests?format=pdf", `{}`).is(401)
	w.ask("other", "POST", "/verifications?format=pdf", body, "Content-Type", kind).is(403) // a token without the scope is no guest
	w.ask("", "POST", "/verifications?format=pdf", `{"sha256":"`+digest(1)+`"}`).is(422)
	empty, emptyKind := multi("")
	w.ask("", "POST", "/verifications?format=pdf", empty, "Content-Type", emptyKind).is(422)
	statuses := map[int]int{}
	for range 2 * guestBudget {
		statuses[w.ask("", "POST", "/verifications?format=pdf", body, "Content-Type", kind).Code]++
	}
	if statuses[200] == 0 || statuses[200] > guestBudget || statuses[429] == 0 {
		t.Errorf("a guest's requests: %v", statuses)
	}
	page := w.ask("", "POST", "/verifications?format=pdf", body, "Content-Type", kind, "Accept", "text/html,*/*").is(429)
	if !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") {
		t.Error("a browser gets JSON")
	}
}

// TestSpecificationNamesEveryField: what a report holds stands in the specification.
func TestSpecificationNamesEveryField(t *testing.T) {
	b, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any `yaml:"properties"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"Report": verify.Report{}, "PublicCopy": verify.Copy{}, "Check": validation.Check{}} {
		has := spec.Components.Schemas[name].Properties
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			field, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if field != "-" && has[field] == nil {
				t.Errorf("%s: %s is not in the specification", name, field)
			}
			delete(has, field)
		}
		for field := range has {
			t.Errorf("%s: %s is in the specification only", name, field)
		}
	}
}
