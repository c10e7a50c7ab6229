package stamp

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// tool finds a program in $SAOY_TOOLS/bin or on the path; without it the test is skipped, or
// fails if SAOY_REQUIRE is "all".
func tool(t testing.TB, name string) string {
	t.Helper()
	if path := filepath.Join(os.Getenv("SAOY_TOOLS"), "bin", name); os.Getenv("SAOY_TOOLS") != "" {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("SAOY_REQUIRE") == "all" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// run runs a tool and returns what it printed; a failure fails the test.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(tool(t, name), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// file writes b where tools can read it.
func file(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
