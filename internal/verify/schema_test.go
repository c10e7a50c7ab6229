package verify

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestSchemaNamesEveryField: what a report of the service holds beyond one of "saoy verify"
// stands in the checked-in schema too.
func TestSchemaNamesEveryField(t *testing.T) {
	b, err := os.ReadFile("../../docs/verification.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	type object struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		value any
		has   map[string]json.RawMessage
	}{{Report{}, schema.Properties}, {Copy{}, schema.Defs["copy"].Properties}, {Conclusion{}, schema.Defs["conclusion"].Properties}} {
		typ := reflect.TypeOf(c.value)
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if c.has[name] == nil {
				t.Errorf("%s: %q is not in the schema", typ.Name(), name)
			}
		}
	}
	for origin := range map[Origin]bool{AsIssued: true, Extended: true, Altered: true, Pretends: true, Another: true, Result: true} {
		if !strings.Contains(string(schema.Properties["origin"]), `"`+string(origin)+`"`) {
			t.Errorf("origin %s is not in the schema", origin)
		}
	}
}
