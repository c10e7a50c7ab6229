package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeCommands runs what README.md shows under "On the command line", as it stands
// there, in a directory with the built binary and two scans.
func TestReadmeCommands(t *testing.T) {
	commands := commandsBelow(t, "## On the command line")
	s := newServer(t) // built, not started
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.binary, filepath.Join(dir, "bin", "saoy")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"scan1.jpg", "scan2.jpg"} {
		if err := writeScan(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range commands {
		shell := exec.Command("sh", "-eu", "-c", line)
		shell.Dir = dir
		if out, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	pdf, err := os.ReadFile(filepath.Join(dir, "copy.pdf"))
	if err != nil || !strings.HasPrefix(string(pdf), "%PDF-") {
		t.Errorf("copy.pdf: %v, %d bytes", err, len(pdf))
	}
}

// TestReadmePictures: what README.md shows is there, and small enough for a slow line.
func TestReadmePictures(t *testing.T) {
	const maxPicture, maxAll = 120 << 10, 500 << 10
	readme := readReadme(t)
	total := int64(0)
	pictures, err := filepath.Glob("../../docs/img/*")
	if err != nil || len(pictures) == 0 {
		t.Fatalf("docs/img: %v, %d pictures", err, len(pictures))
	}
	for _, path := range pictures {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		if info.Size() > maxPicture {
			t.Errorf("%s has %d bytes", path, info.Size())
		}
	}
	if total > maxAll {
		t.Errorf("the pictures have %d bytes together", total)
	}
	for _, part := range strings.Split(readme, "](docs/img/")[1:] {
		path, _, _ := strings.Cut(part, ")")
		if _, err := os.Stat(filepath.Join("../../docs/img", path)); err != nil {
			t.Errorf("README.md shows docs/img/%s: %v", path, err)
		}
	}
}

func readReadme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// commandsBelow returns the lines of the first block of code below a heading.
func commandsBelow(t *testing.T, heading string) []string {
	t.Helper()
	_, below, found := strings.Cut(readReadme(t), heading+"\n")
	_, below, opened := strings.Cut(below, "```\n")
	block, _, closed := strings.Cut(below, "\n```")
	if !found || !opened || !closed {
		t.Fatalf("README.md has no commands below %q", heading)
	}
	return strings.Split(block, "\n")
}
