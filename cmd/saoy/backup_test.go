package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBackupDrill runs the commands of docs/backup.md as they stand there.
func TestBackupDrill(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/backup.md")
	if err != nil {
		t.Fatal(err)
	}
	_, below, found := strings.Cut(string(doc), "## Drill\n")
	_, below, opened := strings.Cut(below, "```\n")
	script, _, closed := strings.Cut(below, "\n```")
	if !found || !opened || !closed {
		t.Fatal("docs/backup.md has no drill")
	}
	dir := withBinary(t)
	for _, name := range []string{"scan1.jpg", "scan2.jpg"} {
		if err := writeScan(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	shell := exec.Command("sh", "-eux", "-c", script)
	shell.Dir = dir
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"1 việc sau khi sao lưu đã mất", "Số chứng thực 12,", "0 sai lệch / findings"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the drill does not say %q\n%s", want, out)
		}
	}
}

// withBinary is a directory with bin/saoy.
func withBinary(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "bin", "saoy"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return dir
}

// place is where a test of backups works: a directory with the binary, a scan and data.
type backupPlace struct {
	*testing.T
	dir string
}

func newBackupPlace(t *testing.T) backupPlace {
	t.Helper()
	p := backupPlace{t, withBinary(t)}
	if err := writeScan(filepath.Join(p.dir, "scan.jpg")); err != nil {
		t.Fatal(err)
	}
	return p
}

// try runs the binary.
func (p backupPlace) try(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(p.dir, "bin", "saoy"), args...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p backupPlace) run(args ...string) string {
	p.Helper()
	out, err := p.try(args...)
	if err != nil {
		p.Fatalf("saoy %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// refused runs the binary, which must fail and say something.
func (p backupPlace) refused(say string, args ...string) {
	p.Helper()
	if out, err := p.try(args...); err == nil || !strings.Contains(out, say) {
		p.Errorf("saoy %s: %v, want a refusal that says %q\n%s", strings.Join(args, " "), err, say, out)
	}
}

func (p backupPlace) certify(data, request string) { // one more copy
	p.Helper()
	p.run("certify", "--data", data, "--request-id", request, "-o", filepath.Join(p.dir, request+".pdf"), "scan.jpg")
}

// secrets copies what a backup without --secrets leaves out.
func (p backupPlace) secrets(to string) {
	p.Helper()
	for _, name := range []string{"secrets", "keys", "demo"} {
		if err := os.CopyFS(filepath.Join(p.dir, to, name), os.DirFS(filepath.Join(p.dir, "data", name))); err != nil {
			p.Fatal(err)
		}
		p.private(filepath.Join(p.dir, to, name))
	}
}

// private gives files the mode they had.
func (p backupPlace) private(dir string) {
	p.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o600)
	})
	if err != nil {
		p.Fatal(err)
	}
}

// objects lists what lies at a destination.
func (p backupPlace) objects(dest string) (paths []string) {
	p.Helper()
	err := filepath.WalkDir(filepath.Join(p.dir, dest, "objects"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return paths
}

// TestBackupIsIncremental: a second backup stores only what is new, and both can be restored.
func TestBackupIsIncremental(t *testing.T) {
	t.Parallel()
	p := newBackupPlace(t)
	p.certify("data", "a")
	p.run("backup", "--data", "data", "-o", "b")
	first := p.objects("b")
	p.run("backup", "--data", "data", "-o", "b")
	if more := len(p.objects("b")) - len(first); more > 6 { // its manifest, its mark, tables that remember time
		t.Errorf("a backup of the same state stored %d objects", more)
	}
	p.certify("data", "b")
	p.run("backup", "--data", "data", "-o", "b")
	var out restored
	p.secrets("old")
	p.json(&out, "restore", "--from", "b", "--data", "old", "--backup", p.ids("b")[0])
	if out.Copies != 1 || out.LostLeaves != 1 || len(out.Findings)+len(out.Lost) > 0 {
		t.Errorf("the first backup, restored: %+v; the third one tells of a second leaf", out)
	}
	p.secrets("new")
	p.json(&out, "restore", "--from", "b", "--data", "new")
	if out.Copies != 2 || out.LostLeaves != 0 || len(out.Findings)+len(out.Lost) > 0 {
		t.Errorf("the last backup, restored: %+v", out)
	}
	p.refused("không trống", "restore", "--from", "b", "--data", "new")
	p.refused("accept-restore", "serve", "--data", "new", "--listen", freeAddress(t))
	p.refused("--last", "accept-restore", "--data", "old", "--by", "A", "--decision", "1", "--nothing-issued")
	p.refused("--last", "accept-restore", "--data", "new", "--by", "A", "--decision", "1")
	p.run("accept-restore", "--data", "new", "--by", "A", "--decision", "1", "--nothing-issued")
	p.certify("new", "c")
	p.refused("không chờ", "accept-restore", "--data", "new", "--by", "A", "--decision", "1", "--nothing-issued")
}

func (p backupPlace) json(into any, args ...string) {
	p.Helper()
	cmd := exec.Command(filepath.Join(p.dir, "bin", "saoy"), append(args, "--json")...)
	cmd.Dir = p.dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		p.Fatalf("saoy %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	if err := json.Unmarshal(out, into); err != nil {
		p.Fatalf("%v: %s", err, out)
	}
}

// ids are the backups at a destination, oldest first.
func (p backupPlace) ids(dest string) (ids []string) {
	p.Helper()
	entries, err := os.ReadDir(filepath.Join(p.dir, dest, "objects", "backup"))
	if err != nil {
		p.Fatal(err)
	}
	for _, e := range entries {
		ids = append(ids, e.Name())
	}
	slices.Sort(ids)
	return ids
}

// TestDamagedBackupIsRefused flips a byte of each object of a backup in turn.
func TestDamagedBackupIsRefused(t *testing.T) {
	t.Parallel()
	p := newBackupPlace(t)
	p.certify("data", "a")
	p.run("backup", "--data", "data", "-o", "b")
	p.run("restore", "--from", "b", "--check")
	checked := 0
	for _, path := range p.objects("b") {
		if filepath.Base(path) == "begun@" {
			continue // says only when
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Clone(whole)
		changed[len(changed)-len(changed)/4-1] ^= 1
		rewrite(t, path, changed)
		if out, err := p.try("restore", "--from", "b", "--check"); err == nil {
			t.Errorf("%s was changed and nothing was said: %s", path, out)
		}
		rewrite(t, path, whole)
		checked++
	}
	if checked < 30 {
		t.Errorf("only %d objects", checked)
	}
	p.run("restore", "--from", "b", "--check")
}

// TestBackupIsKilled kills a backup and a restoration again and again: what is there is
// complete or does not count, and the same command goes on.
func TestBackupIsKilled(t *testing.T) {
	t.Parallel()
	p := newBackupPlace(t)
	p.certify("data", "a")
	p.certify("data", "b")
	p.until("backup", "--data", "data", "-o", "b")
	p.secrets("r")
	p.until("restore", "--from", "b", "--data", "r")
	if out := p.run("fsck", "--deep", "--data", "r"); !strings.Contains(out, "2 bản sao / copies, 2 số / numbers, 2 lá / leaves") {
		t.Errorf("restored: %s", out)
	}
}

// until runs a command, killing it after longer and longer times, until it succeeds.
func (p backupPlace) until(args ...string) {
	p.Helper()
	kills := 0
	for wait := 50 * time.Millisecond; ; wait = wait * 3 / 2 {
		cmd := exec.Command(filepath.Join(p.dir, "bin", "saoy"), args...)
		cmd.Dir = p.dir
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			p.Fatal(err)
		}
		timer := time.AfterFunc(wait, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		switch {
		case err == nil && kills < 3:
			p.Fatalf("it was killed only %d times", kills)
		case err == nil:
			p.Logf("%s: killed %d times", args[0], kills)
			return
		case cmd.ProcessState.ExitCode() != -1:
			p.Fatalf("after %d kills: %v\n%s", kills, err, out.String())
		}
		kills++
	}
}
