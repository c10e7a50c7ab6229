package disk_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/disk"
	"github.com/saoy/saoy/storage/storagetest"
)

const (
	writeEnv = "SAOY_TEST_WRITE" // makes the test binary write objects into a store until it is killed
	raceEnv  = "SAOY_TEST_RACE"  // makes it create the keys of a race
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(writeEnv) != "":
		writeForEver(os.Getenv(writeEnv))
	case os.Getenv(raceEnv) != "":
		race(os.Getenv(raceEnv))
	default:
		os.Exit(m.Run())
	}
}

func open(t testing.TB, dir string) *disk.Store {
	t.Helper()
	s, err := disk.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t testing.TB, s *disk.Store, key, body string, till time.Time) {
	t.Helper()
	if err := s.Create(t.Context(), key, strings.NewReader(body), int64(len(body)), certcopy.DigestOf([]byte(body)), till); err != nil {
		t.Fatal(err)
	}
}

func TestContract(t *testing.T) {
	storagetest.BlobsSuite(t, func(t testing.TB) storage.Blobs { return open(t, t.TempDir()) })
}

func TestLockEndsAtItsDate(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s, err := disk.Open(t.TempDir(), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	till := now.Add(24 * time.Hour)
	create(t, s, "k", "x", till)
	now = till.Add(-time.Second)
	if err := s.Delete(t.Context(), "k"); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("a second before: %v", err)
	}
	now = till
	if err := s.Delete(t.Context(), "k"); err != nil {
		t.Errorf("at its date: %v", err)
	}
}

// Damage of any one byte, anywhere in the file, is found; the object is left where it is.
func TestDamageIsFound(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	create(t, s, "a/k", "the bytes of the object", time.Time{})
	path := filepath.Join(dir, "objects", "a", "k@")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(name string, b []byte) {
		t.Helper()
		if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
		r, _, err := s.Open(t.Context(), "a/k")
		if err == nil {
			_, err = io.ReadAll(r)
			_ = r.Close()
		}
		if !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0x10
		damaged(fmt.Sprintf("byte %d", i), b)
		damaged(fmt.Sprintf("cut at %d", i), whole[:i])
	}
	damaged("one more", append(bytes.Clone(whole), 'x'))
	damaged("empty", nil)
}

func TestObjectUnderAnotherKeyIsDamage(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	create(t, s, "a", "one", time.Time{})
	create(t, s, "b", "two", time.Time{})
	a, b, c := filepath.Join(dir, "objects", "a@"), filepath.Join(dir, "objects", "b@"), filepath.Join(dir, "objects", "c@")
	if err := errors.Join(os.Rename(a, c), os.Rename(b, a), os.Rename(c, b)); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "b"} {
		if _, _, err := s.Open(t.Context(), key); !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: %v", key, err)
		}
	}
	for info, err := range s.List(t.Context(), "") {
		if !errors.Is(err, storage.ErrDamaged) || info.Key == "" {
			t.Errorf("listed %+v, %v", info, err)
		}
	}
}

func TestQuarantineMakesRoom(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	create(t, s, "a/k", "good", time.Now().Add(time.Hour))
	if _, err := s.Quarantine(t.Context(), "a/k"); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("a sound object: %v", err)
	}
	path := filepath.Join(dir, "objects", "a", "k@")
	if err := errors.Join(os.Chmod(path, 0o600), os.Truncate(path, 40)); err != nil {
		t.Fatal(err)
	}
	aside, err := s.Quarantine(t.Context(), "a/k")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(aside); err != nil || info.Size() != 40 {
		t.Errorf("%v, %v", info, err)
	}
	create(t, s, "a/k", "good", time.Time{})
	if _, err := s.Quarantine(t.Context(), "none"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("an absent object: %v", err)
	}
}

func TestOpenSweepsWhatTheDeadLeft(t *testing.T) {
	dir := t.TempDir()
	open(t, dir)
	left := filepath.Join(dir, "unfinished", "LEFT")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left: %v", err)
	}
	// The file of a writer that lives is not swept.
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		done <- s.Create(t.Context(), "slow", r, 4, certcopy.DigestOf([]byte("slow")), time.Time{})
	}()
	if _, err := w.Write([]byte("sl")); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	if _, err := w.Write([]byte("ow")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), <-done); err != nil {
		t.Error(err)
	}
}

func body(key string) []byte { return bytes.Repeat([]byte(key+"\n"), 3000) }

func writeForEver(dir string) {
	s, err := disk.Open(dir, time.Now)
	for i := 0; err == nil; i++ {
		key := fmt.Sprintf("%d/%d/%d", os.Getpid(), i%7, i)
		b := body(key)
		if err = s.Create(context.Background(), key, bytes.NewReader(b), int64(len(b)), certcopy.DigestOf(b), time.Time{}); err == nil {
			fmt.Println(key)
		}
	}
	fmt.Println("error:", err)
	os.Exit(1)
}

// Writers killed at any moment leave every object whole that they were told is stored, no
// other that is not, and nothing unfinished once the store is opened again.
func TestKilledWritersLeaveWholeObjects(t *testing.T) {
	dir := t.TempDir()
	created := 0
	for i := range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writeEnv+"="+dir)
		var out bytes.Buffer
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(60+13*i) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s := open(t, dir)
		keys := strings.Split(out.String(), "\n")
		for _, key := range keys[:len(keys)-1] { // the last line may be cut
			if strings.HasPrefix(key, "error") {
				t.Fatal(key)
			}
			if _, err := s.Stat(t.Context(), key); err != nil {
				t.Errorf("reported as stored: %v", err)
			}
			created++
		}
		for info, err := range s.List(t.Context(), "") {
			if err != nil || info.Digest != certcopy.DigestOf(body(info.Key)) {
				t.Errorf("%+v, %v", info, err)
			}
		}
		if left, err := os.ReadDir(filepath.Join(dir, "unfinished")); err != nil || len(left) != 0 {
			t.Errorf("unfinished: %v, %v", left, err)
		}
	}
	if created == 0 {
		t.Error("no writer came to store anything")
	}
}

func race(dir string) {
	s, err := disk.Open(dir, time.Now)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	for i := range 50 {
		b := fmt.Appendf(nil, "%d", os.Getpid())
		err := s.Create(context.Background(), fmt.Sprintf("race/%d", i), bytes.NewReader(b), int64(len(b)), certcopy.DigestOf(b), time.Time{})
		switch {
		case err == nil:
			fmt.Printf("%d %d\n", i, os.Getpid())
		case !errors.Is(err, storage.ErrExists):
			fmt.Println("error:", err)
		}
	}
}

// Several processes create the same keys: each key has one winner, whose bytes it holds.
func TestProcessesRace(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const processes = 4
	outs := make([]bytes.Buffer, processes)
	cmds := make([]*exec.Cmd, processes)
	for i := range cmds {
		cmds[i] = exec.Command(os.Args[0])
		cmds[i].Env = append(os.Environ(), raceEnv+"="+dir)
		cmds[i].Stdout = &outs[i]
		if err := cmds[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	winners := map[string]string{}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(outs[i].String()) {
			key, pid, ok := strings.Cut(strings.TrimSpace(line), " ")
			if !ok || strings.HasPrefix(line, "error") || winners[key] != "" {
				t.Fatalf("%q, winner before: %q", line, winners[key])
			}
			winners[key] = pid
		}
	}
	if len(winners) != 50 {
		t.Errorf("%d winners", len(winners))
	}
	for key, pid := range winners {
		r, _, err := s.Open(t.Context(), "race/"+key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil || string(b) != pid {
			t.Errorf("%s holds %q of winner %s, %v", key, b, pid, err)
		}
	}
}

// A store that deletes and creates in the same directories at once loses nothing.
func TestDeleteBesideCreate(t *testing.T) {
	s := open(t, t.TempDir())
	done := make(chan error)
	go func() {
		var err error
		for i := 0; i < 200 && err == nil; i++ {
			key := fmt.Sprintf("d/%d", i%2)
			if err = s.Create(t.Context(), key, strings.NewReader("x"), 1, certcopy.DigestOf([]byte("x")), time.Time{}); errors.Is(err, storage.ErrExists) {
				err = nil
			}
		}
		done <- err
	}()
	for i := range 200 {
		if err := s.Delete(t.Context(), fmt.Sprintf("d/%d", i%2)); err != nil {
			t.Error(err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Processes that start sweep beside writers that live: no writer loses its unfinished file.
func TestSweepBesideCreate(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	stop, swept := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			select {
			case <-stop:
				swept <- nil
				return
			default:
				_, err = disk.Open(dir, time.Now)
			}
		}
		swept <- err
	}()
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 100 {
				key := fmt.Sprintf("sweep/%d-%d", w, i)
				if err := s.Create(t.Context(), key, strings.NewReader("x"), 1, certcopy.DigestOf([]byte("x")), time.Time{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	if err := <-swept; err != nil {
		t.Error(err)
	}
}

func FuzzHeader(f *testing.F) {
	dir := f.TempDir()
	s := open(f, dir)
	create(f, s, "k", "x", time.Time{})
	path := filepath.Join(dir, "objects", "k@")
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"saoy":1,"size":-1}` + "\n"))
	f.Add(bytes.Repeat([]byte("{"), 3000))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, b, 0o600)); err != nil {
			t.Fatal(err)
		}
		r, info, err := s.Open(t.Context(), "k")
		if err != nil {
			return
		}
		read, err := io.ReadAll(r)
		if err == nil && certcopy.DigestOf(read) != info.Digest {
			t.Error("bytes that are not of their digest")
		}
		_ = r.Close()
	})
}

func BenchmarkCreate1MiB(b *testing.B) {
	s := open(b, b.TempDir())
	body := bytes.Repeat([]byte("x"), 1<<20)
	d := certcopy.DigestOf(body)
	b.SetBytes(1 << 20)
	for i := range b.N {
		if err := s.Create(b.Context(), fmt.Sprintf("k/%d", i), bytes.NewReader(body), 1<<20, d, time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}
