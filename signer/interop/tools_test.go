package interop

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// toolDir is where scripts/tools puts what it installs.
func toolDir() string {
	if dir := os.Getenv("SAOY_TOOLS"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", ".cache", "tools")
}

// findTool finds a program of scripts/tools, or else on the path; "" if there is none.
func findTool(names ...string) string {
	for _, name := range names {
		path, err := filepath.Abs(filepath.Join(toolDir(), name))
		if err != nil {
			continue
		}
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath(filepath.Base(names[0]))
	if err != nil {
		return ""
	}
	return path
}

// missing skips a test by the name of what it lacks, or fails it with SAOY_REQUIRE=all.
func missing(t testing.TB, name string) {
	t.Helper()
	if os.Getenv("SAOY_REQUIRE") == "all" {
		t.Fatalf("%s is not installed; run scripts/tools", name)
	}
	t.Skipf("%s is not installed; run scripts/tools", name)
}

// output runs a program and returns what it printed on both channels. Its status says less
// than its words, which are judged instead.
func output(t testing.TB, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// poppler would look for a browser's certificates in the home directory
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8")
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Errorf("%s: %v", program, err)
	}
	return out.String()
}

// lastLines shortens what a program said.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
