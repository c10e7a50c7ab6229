package interop

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/saoy/saoy/signer/pades"
)

// divergence is a kind of verdict that differs from ours, and why ours stands.
type divergence struct {
	peer  string
	says  string // what is in its words
	about func(s subject) bool
	cause string
}

func withDSS(s subject) bool { return s.crossing && strings.Contains(s.input, "EU DSS") }

func extended(s subject) bool { return s.crossing && strings.Contains(s.input, "extended by") }

func ours(s subject) bool { return !s.crossing }

// divergences are the ones known. A verdict among them does not fail the test, but is shown.
var divergences = []divergence{
	{"pyHanko", "because the form field DocTimeStamp1 is locked", ours,
		"a lock of all fields is held against the field of the document time-stamp too, which ISO 32000-2 §12.8.2.2 allows even where DocMDP allows nothing"},
	{"pyHanko", "Array contains direct objects", func(s subject) bool { return strings.Contains(s.name, "direct objects") && s.level == pades.BLTA },
		"it compares /Annots only where all annotations are objects of their own; a link that stands in the array itself makes it call the field that a document time-stamp adds there suspicious"},
	{"pyHanko", "/VRI was deleted", withDSS,
		"EU DSS leaves the optional /VRI out when it adds to a store (ETSI EN 319 142-1 §5.4.2.3)"},
	{"pyHanko", "clobber", withDSS,
		"PDFBox, which writes for EU DSS, gives a cross-reference stream the number of an object that is in use"},
	{"pyHanko", "NO_POE", extended,
		"where the root itself signs an OCSP response, pyHanko wants proof that the root, the trust anchor, is not revoked; neither program gathers that when it extends. What is extended here carries the root's list instead, and passes"},
}

func explained(peer string, s subject, why string) string {
	for _, d := range divergences {
		if d.peer == peer && d.about(s) && strings.Contains(why, d.says) {
			return d.cause
		}
	}
	return ""
}

// results are the verdicts of all programs that were there, by program.
type results struct {
	subjects []subject

	mu       sync.Mutex
	verdicts map[string]verdicts // guarded by mu
}

// check records what a program said and fails the test for what is not explained.
func (r *results) check(t testing.TB, peer string, v verdicts) {
	t.Helper()
	r.mu.Lock()
	r.verdicts[peer] = v
	r.mu.Unlock()
	failed := 0
	for _, s := range r.subjects {
		why, asked := v[s.path]
		if !asked || why == "" {
			continue
		}
		failed++
		if explained(peer, s, why) == "" {
			t.Errorf("%s: %s", s.name, why)
		}
	}
	t.Logf("%d files judged, %d with reservations", len(v), failed)
}

// columns are the programs in the order of the report.
func columns() []string {
	out := []string{}
	for _, p := range peers {
		out = append(out, p.name)
	}
	return append(out, "saoy")
}

// table has a row for each group of subjects and a column for each program: how many of the
// files it was asked about it accepted.
func (r *results) table(title string, group func(subject) string) string {
	var rows []string
	for _, s := range r.subjects {
		if g := group(s); g != "" && !slices.Contains(rows, g) {
			rows = append(rows, g)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | %s |\n|---|%s\n", title, strings.Join(columns(), " | "), strings.Repeat("---|", len(columns())))
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s |", row)
		for _, peer := range columns() {
			fmt.Fprintf(&b, " %s |", r.cell(peer, row, group))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (r *results) cell(peer, row string, group func(subject) string) string {
	v, there := r.verdicts[peer]
	if !there {
		return "not there"
	}
	accepted, asked := 0, 0
	for _, s := range r.subjects {
		why, ok := v[s.path]
		if !ok || group(s) != row {
			continue
		}
		asked++
		if why == "" {
			accepted++
		}
	}
	switch {
	case asked == 0:
		return "–"
	case accepted < asked:
		return fmt.Sprintf("**%d/%d**", accepted, asked)
	}
	return fmt.Sprintf("%d/%d", accepted, asked)
}

// reservations lists what a program did not accept: by cause if that is known, else file by
// file with the program's words.
func (r *results) reservations() string {
	var b strings.Builder
	for _, peer := range columns() {
		kinds, files := map[string][]string{}, map[string]int{}
		for _, s := range r.subjects {
			why := r.verdicts[peer][s.path]
			if why == "" {
				continue
			}
			cause := explained(peer, s, why)
			if cause == "" {
				cause = "**not explained**: " + tidy(why)
			}
			files[cause]++
			if !slices.Contains(kinds[cause], s.input) {
				kinds[cause] = append(kinds[cause], s.input)
			}
		}
		for _, cause := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(&b, "- %s, %d files (%s): %s\n", peer, files[cause], strings.Join(kinds[cause], "; "), cause)
		}
	}
	if b.Len() == 0 {
		return "None.\n"
	}
	return b.String()
}

// tidy takes out of a message what is another in each run.
func tidy(s string) string {
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, "|", "/")), " ")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}

// write logs the report, leaves it in $SAOY_REPORTS for scripts/test to print, and with
// SAOY_WRITE_DOCS=1 makes it docs/interop.md.
func (r *results) write(t testing.TB) {
	t.Helper()
	only := func(want bool, name func(subject) string) func(subject) string {
		return func(s subject) string {
			if s.crossing != want {
				return ""
			}
			return name(s)
		}
	}
	var b strings.Builder
	b.WriteString(head)
	for _, p := range peers {
		fmt.Fprintf(&b, "| %s | %s |\n", p.name, p.asks)
	}
	b.WriteString("| saoy | this project's own validator: TOTAL-PASSED, intact, the level as claimed; from B-LT on without network |\n")
	fmt.Fprintf(&b, "\nThis run judged %d files.\n\n## By kind of file\n\n", len(r.subjects))
	b.WriteString(r.table("signed here", only(false, func(s subject) string { return s.input })))
	b.WriteString("\n## By key\n\n" + r.table("key", only(false, func(s subject) string { return s.key })))
	b.WriteString("\n## By level\n\n" + r.table("level", only(false, func(s subject) string { return s.level.String() })))
	b.WriteString("\n## Upon each other's signatures\n\nEvery signature of the file must be as valid as before.\n\n")
	b.WriteString(r.table("who signed", only(true, func(s subject) string { return s.input })))
	b.WriteString("\n## Reservations\n\n" + r.reservations())
	t.Log("\n" + b.String())
	dirs := []string{os.Getenv("SAOY_REPORTS")}
	if os.Getenv("SAOY_WRITE_DOCS") == "1" {
		dirs = append(dirs, filepath.Join("..", "..", "docs"))
	}
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, "interop.md"), []byte(b.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

const head = "# What other programs say of our signatures\n\n" +
	"Printed by `SAOY_WRITE_DOCS=1 make interop`, which signs every kind of file with every kind of key to every level, has the files\n" +
	"judged by programs that share no code with this one, has two of them sign and extend what was signed here, and signs and extends\n" +
	"theirs. Each cell tells how many of the files that a program was asked about it accepted. What it did not is listed at the end with\n" +
	"the reason why it stands; a reservation without a reason fails the tests. `scripts/tools` installs the programs.\n\n" +
	"| program | what it must say |\n|---|---|\n"
