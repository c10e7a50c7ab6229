// Command testreport reads the stream of go test -json on standard input and prints what a
// person wants to know: the packages, what failed with its output, what was skipped and why,
// and one closing line with the counts.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	ImportPath                    string
	Elapsed                       float64
}

type report struct {
	passed, failed, skipped int
	output                  map[string]*strings.Builder
	failures, skips         []string
}

// longForm stands in the words of a test that make interop runs and make test does not: nothing
// is missing for it.
const longForm = "set SAOY_INTEROP=1"

func main() {
	r := report{output: map[string]*strings.Builder{}}
	if err := r.read(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
		os.Exit(2)
	}
	for _, key := range r.failures {
		fmt.Printf("\n--- FAIL %s\n%s", key, r.output[key])
	}
	missing := 0
	for _, key := range r.skips {
		why := reason(r.output[key].String())
		fmt.Printf("SKIP %s: %s\n", key, why)
		if !strings.Contains(why, longForm) {
			missing++
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", r.passed, r.failed, r.skipped)
	if r.failed > 0 || r.passed == 0 {
		os.Exit(1)
	}
	if missing > 0 && os.Getenv("SAOY_REQUIRE") == "all" {
		fmt.Println("SAOY_REQUIRE=all: a test that lacks something is a failure")
		os.Exit(1)
	}
}

func (r *report) read(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // of the go command itself
			continue
		}
		r.add(e, out)
	}
	return lines.Err()
}

func (r *report) add(e event, out io.Writer) {
	key := e.Package + " " + e.Test
	if e.Package == "" {
		key = e.ImportPath
	}
	if r.output[key] == nil {
		r.output[key] = new(strings.Builder)
	}
	switch e.Action {
	case "output", "build-output":
		r.output[key].WriteString(e.Output)
	case "build-fail":
		r.failures = append(r.failures, key)
		r.failed++
	case "pass", "fail", "skip":
		r.finish(e, key, out)
	}
}

func (r *report) finish(e event, key string, out io.Writer) {
	if e.Test == "" {
		if e.Action != "skip" {
			fmt.Fprintf(out, "%-4s %7.1fs %s\n", e.Action, e.Elapsed, e.Package)
		}
		if e.Action == "fail" && r.failed == 0 {
			r.failures = append(r.failures, key)
			r.failed++
		}
		return
	}
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.failures = append(r.failures, key)
		fmt.Fprintf(out, "FAIL %7.1fs %s\n", e.Elapsed, key)
	case "skip":
		r.skipped++
		r.skips = append(r.skips, key)
	}
}

// reason takes the words of t.Skip out of a test's output.
func reason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "===") && !strings.HasPrefix(line, "---") {
			said = append(said, line)
		}
	}
	return strings.Join(said, " ")
}
