package validation

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// schema is a JSON Schema with the words docs/verification.schema.json uses, and no others.
// A property that the schema does not name fails: fields are added there first.
type schema struct {
	Schema     string             `json:"$schema"`
	Title      string             `json:"title"`
	About      string             `json:"description"`
	Ref        string             `json:"$ref"`
	Defs       map[string]*schema `json:"$defs"`
	Type       string             `json:"type"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
	Items      *schema            `json:"items"`
	Enum       []any              `json:"enum"`
	Pattern    string             `json:"pattern"`
	Minimum    *float64           `json:"minimum"`
}

func readSchema(t *testing.T) *schema {
	t.Helper()
	f, err := os.Open("../../docs/verification.schema.json")
	must(t, err)
	defer f.Close()
	s := new(schema)
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	must(t, d.Decode(s))
	return s
}

func (s *schema) check(root *schema, v any, at string) []string {
	if s.Ref != "" {
		return root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")].check(root, v, at)
	}
	if s.Enum != nil {
		if !slices.Contains(s.Enum, v) {
			return []string{fmt.Sprintf("%s: %v is none of %v", at, v, s.Enum)}
		}
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		return s.object(root, v, at)
	case []any:
		var bad []string
		for i, item := range v {
			bad = append(bad, s.Items.check(root, item, fmt.Sprintf("%s[%d]", at, i))...)
		}
		return append(bad, s.isOf("array", at)...)
	case string:
		if s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(v) {
			return []string{fmt.Sprintf("%s: %q does not match %s", at, v, s.Pattern)}
		}
		return s.isOf("string", at)
	case float64:
		if s.Minimum != nil && v < *s.Minimum || v != float64(int64(v)) {
			return []string{fmt.Sprintf("%s: %v", at, v)}
		}
		return s.isOf("integer", at)
	case bool:
		return s.isOf("boolean", at)
	}
	return []string{fmt.Sprintf("%s: %v", at, v)}
}

func (s *schema) isOf(kind, at string) []string {
	if s.Type != kind {
		return []string{at + " is of type " + kind + ", not " + s.Type}
	}
	return nil
}

func (s *schema) object(root *schema, v map[string]any, at string) []string {
	bad := s.isOf("object", at)
	for _, key := range s.Required {
		if _, ok := v[key]; !ok {
			bad = append(bad, at+"."+key+" is missing")
		}
	}
	for key, value := range v {
		p, ok := s.Properties[key]
		if !ok {
			bad = append(bad, at+"."+key+" is not in the schema")
			continue
		}
		bad = append(bad, p.check(root, value, at+"."+key)...)
	}
	return bad
}

// TestSchema: every report is as docs/verification.schema.json says, and the schema refuses
// what is not.
func TestSchema(t *testing.T) {
	s := readSchema(t)
	o := newOffice(t)
	d := newDocument(t)
	good := o.docTimestamp(o.copy(d))
	for name, data := range map[string][]byte{
		"B-LTA":    good,
		"claimed":  o.sign(d.data, o.person, pades.Options{Reason: "sao y", Location: "Bình Định"}, pades.Means{}),
		"unsigned": d.data,
		"no PDF":   []byte("x"),
		"empty":    nil,
		"changed":  revised(t, good, func(u *pdf.Update) { set(t, u, d.refs["page1"], pdf.E("Rotate", pdf.Integer(90))) }),
		"appended": append(slices.Clone(good), "x"...),
	} {
		against(t, s, name, o.validate(data))
	}
	if len(s.check(s, map[string]any{"file": 1.0, "more": "x", "signatures": []any{map[string]any{}}}, "")) < 25 {
		t.Error("the schema accepts what is no report")
	}
}

// TestSchemaCorpora does so for the files of others.
func TestSchemaCorpora(t *testing.T) {
	s := readSchema(t)
	for _, folder := range []string{"attacks", "pades", "pyhanko"} {
		for _, path := range corpus(t, folder) {
			against(t, s, path, examine(t, path))
		}
	}
}

func against(t *testing.T, s *schema, name string, r *Report) {
	t.Helper()
	b, err := json.Marshal(r)
	must(t, err)
	var v any
	must(t, json.Unmarshal(b, &v))
	for _, bad := range s.check(s, v, name) {
		t.Error(bad)
	}
}
