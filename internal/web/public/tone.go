package public

import (
	"html/template"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/validation"
)

// funcs are the functions of this site's templates.
var funcs = template.FuncMap{"headline": headline, "tone": tone, "mark": mark, "day": day, "sentence": sentence, "agencyOf": agencyOf, "sharedHeadline": sharedHeadline}

// headline names what the page says first, as the end of a key of the texts, and its colour.
// Only a report that is good in every respect of a file that was compared is green.
func headline(r *verify.Report, checked bool) map[string]string {
	key, class := headlineOf(r, checked)
	return map[string]string{"Key": "head." + key, "Class": class}
}

// sharedHeadline is that of a sharing link's page, where the file that was checked is the
// stored one and not one the visitor holds.
func sharedHeadline(r *verify.Report, checked bool) map[string]string {
	key, class := headlineOf(r, checked)
	switch key {
	case "good", "erased", "annulled", "void":
		return map[string]string{"Key": "shared." + key, "Class": class}
	case "good_erased": // erased since we looked
		return map[string]string{"Key": "shared.erased", "Class": class}
	case "ours_open", "ours_failed":
		return map[string]string{"Key": "head." + key, "Class": class}
	}
	// The store holds something else than what was registered.
	return map[string]string{"Key": "shared.unknown", "Class": "bad"}
}

func headlineOf(r *verify.Report, checked bool) (key, class string) {
	switch {
	case checked && r.Origin == verify.Pretends:
		return "pretends", "bad"
	case checked && r.Origin == verify.Altered:
		return "altered", "bad"
	case checked && r.Origin == verify.Another:
		return "another", "bad"
	case r.Status == verify.Annulled:
		return "annulled", "bad"
	case r.Status == verify.Void:
		return "void", "bad"
	case !checked && r.Status == verify.Erased:
		return "erased", "warn"
	case !checked:
		return "unchecked", "warn"
	}
	return fileHeadline(r)
}

// fileHeadline is that of a file that was compared and is not declared invalid.
func fileHeadline(r *verify.Report) (key, class string) {
	ours := r.Origin == verify.AsIssued || r.Origin == verify.Extended
	byDigest := len(r.Signatures) == 0 && r.SubIndication == validation.SignedDataNotFound
	switch {
	case r.Good() && r.Origin == verify.Extended:
		return "good_extended", "ok"
	case r.Good():
		return "good", "ok"
	case ours && byDigest && r.Status == verify.Valid:
		return "good_digest", "ok"
	case ours && r.Status == verify.Erased && (byDigest || r.Indication == validation.TotalPassed):
		return "good_erased", "warn"
	case ours && r.Indication == validation.Indeterminate:
		return "ours_open", "warn"
	case ours:
		return "ours_failed", "bad"
	case byDigest:
		return "unknown_digest", "bad"
	case r.Indication == validation.NoSignature:
		return "no_signature", "bad"
	case r.Indication == validation.TotalPassed:
		return "stranger_passed", "warn"
	case r.Indication == validation.Indeterminate:
		return "stranger_open", "warn"
	}
	return "stranger_failed", "bad"
}

// tone is the colour of one verdict. Nothing is green while no file was compared, nor on a
// page whose headline is bad.
func tone(value any, checked bool) string {
	switch value {
	case validation.Intact, validation.Trusted, verify.Valid:
		if checked {
			return "ok"
		}
		return ""
	case validation.Modified, validation.Broken, validation.Untrusted, verify.Annulled, verify.Void:
		return "bad"
	}
	return "warn"
}

// mark is the sign before a check.
func mark(r validation.Result) string {
	switch r {
	case validation.Passed:
		return "✓"
	case validation.Failed:
		return "✗"
	}
	return "–"
}

// day writes an ISO day as people do: 22/11/2026.
func day(v string) string {
	t, err := time.ParseInLocation(time.DateOnly, v, certcopy.Vietnam)
	if err != nil {
		return v
	}
	return t.Format("02/01/2006")
}

// sentence is what a check says.
func sentence(c validation.Check) certcopy.Message { return certcopy.Msg(c.VI, c.EN) }

// agencyOf names the agency of the copy, if there is one.
func agencyOf(r *verify.Report) string {
	if r.Copy == nil {
		return "–"
	}
	return r.Copy.Agency
}
