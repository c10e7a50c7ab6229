package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCrashAtEveryPoint kills the real binary at every point between two durable writes, runs
// the same request again, and asks fsck: one copy per request, numbers without a gap.
func TestCrashAtEveryPoint(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills a process dozens of times; not with -short")
	}
	b := newBench(t)
	points := crashPoints(t)
	for i, point := range points {
		request := fmt.Sprint("crash-", i+1)
		_, err := b.certify(request, "SAOY_CRASH_AT="+point)
		if !killed(err) {
			t.Errorf("%s: the process was not killed there: %v", point, err)
		}
		out, err := b.certify(request)
		if err != nil {
			t.Fatalf("%s: run again: %v", point, err)
		}
		if out.Number != int64(i+1) {
			t.Errorf("%s: number %d, want %d", point, out.Number, i+1)
		}
	}
	b.check(t, len(points))
}

// TestKilledAtRandom kills the binary after random times, and lets it finish in the end.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills a process dozens of times; not with -short")
	}
	b := newBench(t)
	const requests = 6
	r := rand.New(rand.NewPCG(7, 7))
	for i := range requests {
		request := fmt.Sprint("random-", i+1)
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond+time.Duration(r.IntN(2500))*time.Millisecond)
			_, _ = b.run(ctx, request)
			cancel()
		}
		out, err := b.certify(request)
		if err != nil {
			t.Fatalf("%s: %v", request, err)
		}
		if out.Number != int64(i+1) {
			t.Errorf("%s: number %d, want %d", request, out.Number, i+1)
		}
	}
	b.check(t, requests)
}

// bench is a data directory and a binary that can be made to kill itself.
type bench struct {
	binary, dir, scan string
	files             []string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{binary: filepath.Join(t.TempDir(), "saoy"), dir: filepath.Join(t.TempDir(), "d"), scan: filepath.Join(t.TempDir(), "page.jpg")}
	if out, err := exec.Command("go", "build", "-tags", "crashpoints", "-o", b.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	if err := writeScan(b.scan); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) certify(request string, env ...string) (certified, error) {
	return b.run(context.Background(), request, env...)
}

func (b *bench) run(ctx context.Context, request string, env ...string) (out certified, err error) {
	file := filepath.Join(filepath.Dir(b.scan), request+".pdf")
	// A killed process leaves no time for a timeout of its own.
	cmd := exec.CommandContext(ctx, b.binary, "certify", "--data", b.dir, "--request-id", request, "--json", "--timeout", "60s", "-o", file, b.scan)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return out, fmt.Errorf("%w\n%s", err, stderr.String())
	}
	b.files = append(b.files, file)
	return out, json.Unmarshal(stdout.Bytes(), &out)
}

func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == -1 && strings.Contains(exit.String(), "killed")
}

// check asks fsck and verifies every file.
func (b *bench) check(t *testing.T, copies int) {
	t.Helper()
	out, err := exec.Command(b.binary, "fsck", "--deep", "--data", b.dir, "--json").Output()
	if err != nil {
		t.Fatalf("fsck: %v\n%s", err, out)
	}
	var report struct {
		Copies, Numbers, Leaves int
		InProgress              []string `json:"in_progress"`
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	if report.Copies != copies || report.Numbers != copies || report.Leaves != copies || len(report.InProgress) != 0 {
		t.Errorf("fsck counts %+v, want %d of each and nothing in progress", report, copies)
	}
	args := append([]string{"verify", "--trust", filepath.Join(b.dir, "demo", "ca.pem")}, b.files...)
	if out, err := exec.Command(b.binary, args...).CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if left := postgresLeft(b.dir); left != "" {
		t.Errorf("a server was left behind: %s", left)
	}
}

// postgresLeft names processes whose command line speaks of the directory.
func postgresLeft(dir string) string {
	out, _ := exec.Command("pgrep", "-af", dir).Output()
	var left []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "postgres") {
			left = append(left, strings.TrimSpace(line))
		}
	}
	return strings.Join(left, "; ")
}

// crashPoints are the names in the flow's source, with the two signatures' prefixes filled in.
func crashPoints(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../internal/issue/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source: %v", err)
	}
	call := regexp.MustCompile(`\bcrash\((s\.point \+ )?"([a-z.]+)"\)`)
	var points []string
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(b), -1) {
			if m[1] == "" {
				points = append(points, m[2])
				continue
			}
			points = append(points, "sign"+m[2], "seal"+m[2])
		}
	}
	slices.Sort(points)
	if points = slices.Compact(points); len(points) < 20 {
		t.Fatalf("only %d points found: %v", len(points), points)
	}
	return points
}
