package validation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Others that say something about the integrity of a file.
var judges = []struct {
	name, program string
	ask           func(t *testing.T, program string, files []string) map[string]string
}{
	{"pyHanko", "pyhanko/bin/python3", askPyHanko},
	{"EU DSS", "bin/dss", askDSS},
	{"pdfsig", "pdfsig", askPdfsig},
}

// disagreement is a row of testdata/corpora.tsv: what each said about a file, and why.
type disagreement struct {
	file, ours string
	others     []string
	why        string
}

func (d disagreement) String() string {
	return strings.Join(slices.Concat([]string{d.file, d.ours}, d.others, []string{d.why}), "\t")
}

// TestInteropCorpora holds what others say of every signed file of the test material, beside
// ours, against the table that is checked in and explained in docs/verification.md. With
// SAOY_WRITE_DOCS=1 both are written anew; a disagreement without a reason fails.
func TestInteropCorpora(t *testing.T) {
	if os.Getenv("SAOY_INTEROP") == "" && os.Getenv("SAOY_WRITE_DOCS") == "" {
		t.Skip("pyHanko, EU DSS and pdfsig over the test material: set SAOY_INTEROP=1")
	}
	table := readTable(t)
	rows := map[string]disagreement{}
	var files []string
	for _, folder := range []string{"attacks", "pades", "pyhanko"} {
		for _, path := range corpus(t, folder) {
			r := examine(t, path)
			if len(r.Signatures) == 0 {
				continue
			}
			files = append(files, path)
			name := folder + "/" + filepath.Base(path)
			rows[name] = disagreement{file: name, ours: string(r.Integrity), others: make([]string, len(judges)), why: table[name].why}
		}
	}
	for i, j := range judges {
		program := tool(t, j.program)
		said := j.ask(t, program, files)
		for _, path := range files {
			name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
			rows[name].others[i] = said[filepath.Base(path)]
		}
	}
	if os.Getenv("SAOY_WRITE_DOCS") != "" {
		writeTable(t, rows)
		table = rows
	}
	for name, row := range rows {
		if was, ok := table[name]; !ok || was.String() != row.String() {
			t.Errorf("this run: %s\nthe table: %s", row, table[name])
		}
		if row.differs() && row.why == "" {
			t.Errorf("no reason is given: %s", row)
		}
	}
}

// differs reports whether somebody calls intact what another does not.
func (d disagreement) differs() bool {
	return slices.ContainsFunc(d.others, func(s string) bool { return (s == "intact") != (d.ours == "intact") })
}

// TestTableInDocs: docs/verification.md prints the table as it is.
func TestTableInDocs(t *testing.T) {
	doc, err := os.ReadFile("../../docs/verification.md")
	must(t, err)
	if !bytes.Contains(doc, []byte(markdown(readTable(t)))) {
		t.Error("the table of docs/verification.md is not that of testdata/corpora.tsv")
	}
}

// tool finds a program of scripts/tools or on the path.
func tool(t *testing.T, program string) string {
	t.Helper()
	dir := os.Getenv("SAOY_TOOLS")
	if dir == "" {
		dir = filepath.Join("..", "..", ".cache", "tools")
	}
	if path, err := filepath.Abs(filepath.Join(dir, program)); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	needTool(t, program)
	return program
}

func outputOf(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8")
	out, err := cmd.Output() // what it prints is judged, not its status
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s: %v", program, err)
	}
	return out
}

func askPyHanko(t *testing.T, program string, files []string) map[string]string {
	said := map[string]string{}
	for line := range bytes.Lines(outputOf(t, program, append([]string{"testdata/corpora.py"}, files...)...)) {
		var a struct{ File, Word string }
		must(t, json.Unmarshal(line, &a))
		said[a.File] = a.Word
	}
	return said
}

func askDSS(t *testing.T, program string, files []string) map[string]string {
	nobody := filepath.Join(t.TempDir(), "nobody.pem")
	must(t, os.WriteFile(nobody, certificatePEM(newOffice(t).pki.Root.Certificate), 0o600))
	said := map[string]string{}
	for line := range bytes.Lines(outputOf(t, program, append([]string{"validate", "--trust", nobody}, files...)...)) {
		var a struct {
			File, Error string
			Signatures  []struct{ Intact, Modified bool }
		}
		must(t, json.Unmarshal(line, &a))
		word := "intact"
		for _, s := range a.Signatures {
			switch {
			case !s.Intact:
				word = "broken"
			case s.Modified && word == "intact":
				word = "modified"
			}
		}
		if len(a.Signatures) == 0 {
			word = "no signature"
		}
		if a.Error != "" {
			word = "unreadable"
		}
		said[filepath.Base(a.File)] = word
	}
	return said
}

// askPdfsig: it calls a signature valid whatever came after it, and says "not total document
// signed" beside it.
func askPdfsig(t *testing.T, program string, files []string) map[string]string {
	said := map[string]string{}
	for _, path := range files {
		out := string(outputOf(t, program, "-nocert", path))
		word := "no signature"
		for part := range strings.SplitSeq(out, "Signature #") {
			switch {
			case strings.Contains(part, "Signature is Valid."):
				if word == "no signature" {
					word = "intact"
				}
			case strings.Contains(part, "Signature Validation:") && !strings.Contains(part, "ETSI.RFC3161"):
				word = "not verified"
			}
		}
		said[filepath.Base(path)] = word
	}
	return said
}

func readTable(t *testing.T) map[string]disagreement {
	t.Helper()
	b, err := os.ReadFile("testdata/corpora.tsv")
	must(t, err)
	rows := map[string]disagreement{}
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) != 3+len(judges) {
			t.Fatalf("testdata/corpora.tsv: %d cells in %q", len(cells), line)
		}
		n := len(cells) - 1
		rows[cells[0]] = disagreement{cells[0], cells[1], cells[2:n], cells[n]}
	}
	return rows
}

func sorted(rows map[string]disagreement) []disagreement {
	var list []disagreement
	for _, r := range rows {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b disagreement) int { return strings.Compare(a.file, b.file) })
	return list
}

// markdown is the table as it is printed.
func markdown(rows map[string]disagreement) string {
	var b strings.Builder
	b.WriteString("| file | saoy |")
	for _, j := range judges {
		fmt.Fprintf(&b, " %s |", j.name)
	}
	b.WriteString(" who is right, and why |\n|---|---|" + strings.Repeat("---|", len(judges)+1) + "\n")
	for _, r := range sorted(rows) {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.file, r.ours, strings.Join(r.others, " | "), r.why)
	}
	return b.String()
}

const tableBegins, tableEnds = "<!-- table -->\n", "<!-- end of table -->\n"

func writeTable(t *testing.T, rows map[string]disagreement) {
	t.Helper()
	var b strings.Builder
	for _, r := range sorted(rows) {
		b.WriteString(r.String() + "\n")
	}
	must(t, os.WriteFile("testdata/corpora.tsv", []byte(b.String()), 0o644))
	const doc = "../../docs/verification.md"
	old, err := os.ReadFile(doc)
	must(t, err)
	before, rest, _ := strings.Cut(string(old), tableBegins)
	_, after, ok := strings.Cut(rest, tableEnds)
	if !ok {
		t.Fatalf("%s has no place for the table", doc)
	}
	must(t, os.WriteFile(doc, []byte(before+tableBegins+markdown(rows)+tableEnds+after), 0o644))
}
