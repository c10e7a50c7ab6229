package validation

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestCopy follows a copy of the product from the certifier's signature to its second
// archive time-stamp.
func TestCopy(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	data := o.copy(d)
	expect(t, o.validate(data), TotalPassed, "", LevelLT)
	data = o.docTimestamp(data)
	expect(t, o.validate(data), TotalPassed, "", LevelLTA)
	data = o.docTimestamp(o.store(data))
	r := o.validate(data)
	expect(t, r, TotalPassed, "", LevelLTA)
	if r.Issuer != Trusted || r.Integrity != Intact || r.Signatures[0].DocMDP != 2 || r.Signatures[0].Anchor == "" {
		logReport(t, r)
		t.Error("verdicts differ")
	}
}

func expect(t *testing.T, r *Report, i Indication, sub SubIndication, l Level) {
	t.Helper()
	if r.Indication != i || r.SubIndication != sub {
		t.Errorf("indication %s/%s, want %s/%s", r.Indication, r.SubIndication, i, sub)
		logReport(t, r)
	}
	for _, s := range r.Signatures {
		if s.Kind == KindSignature && s.Level != l {
			t.Errorf("%s: level %s, want %s", s.Field, s.Level, l)
		}
	}
}

func logReport(t *testing.T, r *Report) {
	t.Helper()
	t.Logf("%s/%s integrity %s issuer %s warnings %q", r.Indication, r.SubIndication, r.Integrity, r.Issuer, r.Warnings)
	for _, c := range r.Checks {
		t.Logf("  %s %s: %s", c.ID, c.Result, c.EN)
	}
	for _, s := range r.Signatures {
		t.Logf("  %s %s/%s level %s integrity %s issuer %s changes %s %q", s.Field, s.Indication, s.SubIndication, s.Level, s.Integrity, s.Issuer, s.ChangesAfter, s.Changes)
		for _, c := range s.Checks {
			if c.Result != Passed {
				t.Logf("    %s %s: %s", c.Result, c.ID, c.EN)
			}
		}
	}
}

// TestTrust: what passes under the right anchor is untrusted without it.
func TestTrust(t *testing.T) {
	o := newOffice(t)
	data := o.copy(newDocument(t))
	r := validate(t, data, Options{At: o.now})
	expect(t, r, Indeterminate, NoCertificateChainFound, LevelLT)
	if r.Issuer != Untrusted || r.Integrity != Intact {
		t.Errorf("issuer %s integrity %s", r.Issuer, r.Integrity)
	}
	other := newOffice(t)
	expect(t, other.validate(data), Indeterminate, NoCertificateChainFound, LevelLT)
}

// TestReportJSON: the names other programs read.
func TestReportJSON(t *testing.T) {
	o := newOffice(t)
	b, err := json.Marshal(o.validate(o.copy(newDocument(t))))
	must(t, err)
	for _, want := range []string{`"sha256":"`, `"indication":"TOTAL-PASSED"`, `"sub_indication":""`, `"integrity":"intact"`, `"status":"not-checked"`, `"issuer":"trusted"`,
		`"field":"certifier"`, `"subfilter":"ETSI.CAdES.detached"`, `"kind":"signature"`, `"level":"B-LT"`, `"signer":"`, `"signing_time":"2026-03-02T08:`, `"time_source":"timestamp"`,
		`"byte_range_ok":true`, `"covers_whole_revision":true`, `"changes_after":"allowed"`, `"docmdp":2`, `"warnings":[]`, `"vi":"`, `"en":"`, `"clause":"`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("report lacks %s", want)
		}
	}
	var back Report
	must(t, json.Unmarshal(b, &back))
	again, err := json.Marshal(back)
	must(t, err)
	if string(again) != string(b) || back.Signatures[0].Time.IsZero() {
		t.Errorf("a report read back differs:\n%s\n%s", b, again)
	}
	b, err = json.Marshal(validate(t, []byte("no PDF"), Options{At: time.Now()}))
	must(t, err)
	if !strings.Contains(string(b), `"signatures":[]`) || !strings.Contains(string(b), "NO-SIGNATURE") {
		t.Errorf("report of no PDF: %s", b)
	}
}
