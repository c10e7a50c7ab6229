package postgres

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first major version with everything the schema uses.
const oldest = 15

// findBinaries returns the directory of the PostgreSQL programs to use for a data directory:
// the version that made it, or for a new one the newest.
func findBinaries(ctx context.Context, data string) (string, error) {
	looked := candidates()
	byMajor := map[int]string{}
	for _, dir := range looked {
		major := majorVersion(ctx, dir)
		if _, seen := byMajor[major]; major >= oldest && !seen {
			byMajor[major] = dir
		}
	}
	if made, err := os.ReadFile(filepath.Join(data, "PG_VERSION")); err == nil {
		major, _ := strconv.Atoi(strings.TrimSpace(string(made)))
		if dir, ok := byMajor[major]; ok {
			return dir, nil
		}
		return "", noPostgres(append(looked, "wanted version "+strings.TrimSpace(string(made))))
	}
	best := 0
	for major := range byMajor {
		best = max(best, major)
	}
	if best == 0 {
		return "", noPostgres(looked)
	}
	return byMajor[best], nil
}

// installed are the places of Debian's and of PostgreSQL's own packages.
var installed = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"}

// candidates lists where the server's programs may be: the path first.
func candidates() []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	for _, pattern := range installed {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	return slices.DeleteFunc(dirs, func(dir string) bool {
		_, initdb := os.Stat(filepath.Join(dir, "initdb"))
		_, postgres := os.Stat(filepath.Join(dir, "postgres"))
		return dir == "" || initdb != nil || postgres != nil
	})
}

var versionPattern = regexp.MustCompile(`PostgreSQL\) (\d+)`)

// majorVersion asks the program; 0 if it does not say.
func majorVersion(ctx context.Context, dir string) int {
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(m[1]))
	return major
}
