package signertest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Corpora returns the paths of the PDF files of others that are not part of the project: below
// the folder that SAOY_CORPORA names, else below shared/corpora beside the project, which is up
// levels above the caller's package. An error says where none were found.
func Corpora(up int) ([]string, error) {
	root := os.Getenv("SAOY_CORPORA")
	if root == "" {
		root = filepath.Join(strings.Repeat("../", up)+"..", "shared", "corpora")
	}
	var paths []string
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".pdf") {
			paths = append(paths, path)
		}
		return nil // an absent folder gives no paths
	})
	if len(paths) == 0 {
		return nil, fmt.Errorf("no test files of others at %s", root)
	}
	return paths, nil
}
