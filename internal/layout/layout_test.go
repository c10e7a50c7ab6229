// Package layout holds no code: its tests read the project's files and hold them to the rules
// of docs/ARCHITECTURE.md. They parse the files themselves, because the answer of "go list"
// inside a test is cached and passes stale.
package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/saoy/saoy/"

// pkg is one package of the module, its test files left out.
type pkg struct {
	dir     string // "internal/issue"
	files   map[string]*ast.File
	imports map[string]bool // import paths, those of the module without its name
}

func TestImportsPointDown(t *testing.T) {
	packages := load(t)
	for _, p := range packages {
		for _, r := range rules {
			if !within(p.dir, r.from) {
				continue
			}
			for imported := range p.imports {
				if r.forbids(imported) {
					t.Errorf("%s imports %s: %s", p.dir, imported, r.why)
				}
			}
		}
	}
}

// rule forbids imports to the packages below from.
type rule struct {
	from    string
	forbids func(imported string) bool
	why     string
}

var rules = []rule{
	{"internal/certcopy", ours, "the vocabulary imports the standard library only"},
	{"internal/certcopy", foreign, "the vocabulary imports the standard library only"},
	{"signer", func(i string) bool { return ours(i) && !within(i, "signer") }, "the signing library knows nothing of the service"},
	{"signer", below("github.com/pdfcpu"), "the signer reads and appends by itself"},
	{"internal/intake", below("internal/link", "internal/stamp", "internal/register", "internal/issue"), "a step never imports a later step"},
	{"internal/link", below("internal/intake", "internal/stamp", "internal/register", "internal/issue"), "a step never imports a later step"},
	{"internal/stamp", below("internal/register", "internal/issue"), "a step never imports a later step"},
	{"internal/register", below("internal/issue"), "a step never imports a later step"},
	{"internal/issue", implementations, "the flow sees contracts, never an implementation"},
	{"internal", below("storage/disk", "storage/postgres", "storage/s3"), "only cmd/saoy wires stores"},
	{"storage/disk", below("storage/postgres", "storage/s3"), "stores do not know each other"},
	{"storage/s3", below("storage/postgres", "storage/disk"), "stores do not know each other"},
	{"storage/postgres", below("storage/disk", "storage/s3"), "stores do not know each other"},
	{"storage", below("internal/issue", "internal/web", "internal/intake", "internal/stamp", "signer", "cmd"), "imports point down"},
}

var implementations = below("storage/disk", "storage/postgres", "storage/s3", "signer/softkey", "signer/pkcs11", "signer/csc", "internal/web", "cmd")

// TestThePublicSiteCannotSign follows imports to their end: nothing that serves everybody may
// reach the flow, a key, or a store's implementation.
func TestThePublicSiteCannotSign(t *testing.T) {
	packages := load(t)
	forbidden := below("internal/issue", "internal/vault", "internal/demo", "signer/softkey", "signer/pkcs11", "signer/csc", "signer/signertest",
		"storage/disk", "storage/postgres", "storage/s3", "cmd")
	for _, from := range []string{"internal/web/public", "internal/verify", "signer/validation"} {
		if packages[from] == nil {
			t.Errorf("%s is gone; its rule looks at nothing", from)
			continue
		}
		for reached, via := range reach(packages, from) {
			if forbidden(reached) {
				t.Errorf("%s reaches %s through %s", from, reached, via)
			}
		}
	}
}

// reach returns every package of the module that from imports, directly or not, with the
// package that imports it.
func reach(packages map[string]*pkg, from string) map[string]string {
	seen := map[string]string{}
	queue := []string{from}
	for len(queue) > 0 {
		p := packages[queue[0]]
		if p != nil {
			for imported := range p.imports {
				if _, ok := seen[imported]; !ok && ours(imported) {
					seen[imported] = p.dir
					queue = append(queue, imported)
				}
			}
		}
		queue = queue[1:]
	}
	return seen
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for dir, p := range load(t) {
		documented := 0
		for _, f := range p.files {
			if f.Doc != nil && (strings.HasPrefix(f.Doc.Text(), "Package ") || strings.HasPrefix(f.Doc.Text(), "Command ")) {
				documented++
			}
		}
		if documented != 1 {
			t.Errorf("%s has %d package comments, want one", dir, documented)
		}
	}
}

func TestNoRegistriesNoHiddenClock(t *testing.T) {
	for dir, p := range load(t) {
		for name, f := range p.files {
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s has an init function", name)
				}
			}
			if within(dir, "cmd") || within(dir, "scripts") || within(dir, "storage/storagetest") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && isTimeNow(call.Fun) {
					t.Errorf("%s calls time.Now; pass the clock in", name)
				}
				return true
			})
		}
	}
}

func isTimeNow(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "Now" {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "time"
}

// maxLines is where a file has more than one subject.
const maxLines = 400

func TestFilesHaveOneSubject(t *testing.T) {
	for _, p := range load(t) {
		for name := range p.files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(b), "\n"); n > maxLines {
				t.Errorf("%s has %d lines, at most %d", name, n, maxLines)
			}
		}
	}
}

func load(t *testing.T) map[string]*pkg {
	t.Helper()
	root := filepath.Join("..", "..")
	packages := map[string]*pkg{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() && name != root && (strings.HasPrefix(base, ".") || base == "testdata" || base == "data" || base == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil || ast.IsGenerated(f) {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(rel)
		if packages[dir] == nil {
			packages[dir] = &pkg{dir: dir, files: map[string]*ast.File{}, imports: map[string]bool{}}
		}
		packages[dir].files[name] = f
		for _, i := range f.Imports {
			packages[dir].imports[strings.TrimPrefix(strings.Trim(i.Path.Value, `"`), module)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 20 {
		t.Fatalf("only %v found", slices.Sorted(maps.Keys(packages)))
	}
	return packages
}

func within(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

func below(roots ...string) func(string) bool {
	return func(i string) bool {
		return slices.ContainsFunc(roots, func(root string) bool { return within(i, root) })
	}
}

func ours(i string) bool {
	return below("cmd", "internal", "signer", "storage", "migrations")(i)
}

// foreign reports whether an import is neither ours nor of the standard library, whose paths
// have no dot in their first element.
func foreign(i string) bool {
	first, _, _ := strings.Cut(i, "/")
	return !ours(i) && strings.Contains(first, ".") && path.Base(i) != ""
}
