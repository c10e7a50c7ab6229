package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	backticked = regexp.MustCompile("`([^`]+)`")
	testName   = regexp.MustCompile(`^(Test|Fuzz|Example|Benchmark)[A-Za-z0-9_]*$`)
)

// TestStandardsNameWhatExists: docs/standards.md may not promise a file or a test that is
// not there. A test stands in the file named before it, or in the folder of the file of its row.
func TestStandardsNameWhatExists(t *testing.T) {
	root := filepath.Join("..", "..")
	doc, err := os.ReadFile(filepath.Join(root, "docs", "standards.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for i, line := range strings.Split(string(doc), "\n") {
		var folders []string
		for _, m := range backticked.FindAllStringSubmatch(line, -1) {
			file, test, named := strings.Cut(m[1], ": ")
			switch {
			case named:
				if !declares(t, filepath.Join(root, file), test) {
					t.Errorf("line %d: %s has no %s", i+1, file, test)
				}
			case testName.MatchString(m[1]):
				if !anyDeclares(t, root, folders, m[1]) {
					t.Errorf("line %d: no %s in %q", i+1, m[1], folders)
				}
			case strings.Contains(m[1], "/"):
				if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
					t.Errorf("line %d: %v", i+1, err)
				}
				folders = append(folders, filepath.Dir(m[1]))
			default:
				continue
			}
			found++
		}
	}
	if found < 100 {
		t.Errorf("only %d files and tests are named", found)
	}
}

func anyDeclares(t *testing.T, root string, folders []string, test string) bool {
	if len(folders) == 0 { // prose: any test of the signing library
		folders = []string{"signer/validation"}
	}
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if declares(t, f, test) {
				return true
			}
		}
	}
	return false
}

func declares(t *testing.T, file, test string) bool {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return false
	}
	return strings.Contains(string(b), "\nfunc "+test+"(")
}
