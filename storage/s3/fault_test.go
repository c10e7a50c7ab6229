package s3_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/s3"
	"github.com/saoy/saoy/storage/s3/s3test"
)

const (
	slowDown = `<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`
	internal = `<?xml version="1.0"?><Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>`
	html     = `<html><body>not here</body></html>`
)

// What Create says of a fault is true: unavailable means that nothing was stored, and whatever
// was stored without a good answer is an unknown outcome. Nothing is sent twice.
func TestCreateUnderFaults(t *testing.T) {
	const small, large = 10_000, 24 << 20 // large: more than the buffers of a connection take
	for name, c := range map[string]struct {
		fault  fault
		size   int
		err    error
		stored bool
	}{
		"cut at once":              {cutAtOnce, large, storage.ErrUnavailable, false},
		"cut at once, sent":        {cutAtOnce, small, storage.ErrOutcomeUnknown, false}, // it cannot know
		"cut in the middle":        {cutInTheMiddle, large, storage.ErrUnavailable, false},
		"server cut in the middle": {cutServer, large, storage.ErrUnavailable, false},
		"not read":                 {deaf, large, storage.ErrUnavailable, false},
		"slow down":                {answers(503, slowDown), small, storage.ErrUnavailable, false},
		"too many requests":        {answers(429, slowDown), small, storage.ErrUnavailable, false},
		"503 of a gateway":         {answers(503, html), small, storage.ErrOutcomeUnknown, false},
		"404 of a gateway":         {answers(404, html), small, storage.ErrOutcomeUnknown, false},
		"corrupted on the way":     {flipsRequest, small, storage.ErrUnavailable, false},
		"refused keys":             {answers(403, html), small, storage.ErrUnavailable, false},
		"reply lost":               {after(cutAtOnce), small, storage.ErrOutcomeUnknown, true},
		"reply of large lost":      {after(cutAtOnce), large, storage.ErrOutcomeUnknown, true},
		"reply of empty lost":      {after(cutAtOnce), 0, storage.ErrOutcomeUnknown, true},
		"reply cut":                {after(cutReply), small, storage.ErrOutcomeUnknown, true},
		"reply never comes":        {after(deaf), small, storage.ErrOutcomeUnknown, true},
		"done, then 500":           {after(answers(500, internal)), small, storage.ErrOutcomeUnknown, true},
		"done, then 502":           {after(answers(502, html)), small, storage.ErrOutcomeUnknown, true},
		"done, then 503":           {after(answers(503, html)), small, storage.ErrOutcomeUnknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p, _ := behind(t, time.Second)
			b := bytes.Repeat([]byte("x"), c.size)
			p.set("PUT", c.fault)
			// A reader that could be read again does not tempt the driver either.
			err := s.Create(t.Context(), "k", bytes.NewReader(b), int64(c.size), certcopy.DigestOf(b), time.Now().Add(time.Hour))
			if !errors.Is(err, c.err) {
				t.Errorf("create: %v, want %v", err, c.err)
			}
			if n := p.requests("PUT"); n != 1 {
				t.Errorf("%d requests were sent", n)
			}
			p.set("", nil)
			if _, err := s.Stat(t.Context(), "k"); c.stored && err != nil || !c.stored && !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("stored %v: %v", c.stored, err)
			}
			if err := s.Create(t.Context(), "k", bytes.NewReader(b), int64(c.size), certcopy.DigestOf(b), time.Time{}); c.stored != errors.Is(err, storage.ErrExists) || !c.stored && err != nil {
				t.Errorf("second create: %v", err)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	_, _, c := behind(t, time.Second)
	c.Endpoint = refusing(t)
	if _, err := s3.Open(t.Context(), c); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("open: %v", err)
	}
}

// A caller that stops waiting once all is sent is told so, whatever its reason.
func TestCallerGivesUp(t *testing.T) {
	s, p, _ := behind(t, 10*time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	p.set("PUT", after(deaf))
	if err := s.Create(ctx, "k", strings.NewReader("x"), 1, certcopy.DigestOf([]byte("x")), time.Time{}); !errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Errorf("create: %v", err)
	}
	p.set("", nil)
	if got, err := read(t, s, "k"); got != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A store that does not answer is never mistaken for one without the object, nor for damage.
func TestReadsUnderFaults(t *testing.T) {
	for name, f := range map[string]fault{
		"cut": cutAtOnce, "silent": deaf, "slow down": answers(503, slowDown), "error": answers(500, internal),
		"404 of a gateway": answers(404, html), "403": answers(403, html), "unknown key": answers(404, `<Error><Code>XAdminUserNotFound</Code></Error>`),
		"no bucket": answers(404, `<Error><Code>NoSuchBucket</Code></Error>`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p, _ := behind(t, 500*time.Millisecond)
			create(t, s, "k", "body", time.Time{})
			p.set("", f)
			_, statErr := s.Stat(t.Context(), "k")
			_, openErr := read(t, s, "k")
			var listErr error
			for _, listErr = range s.List(t.Context(), "") {
			}
			for op, err := range map[string]error{"stat": statErr, "open": openErr, "list": listErr, "delete": s.Delete(t.Context(), "k")} {
				if !errors.Is(err, storage.ErrUnavailable) || errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrDamaged) {
					t.Errorf("%s: %v", op, err)
				}
			}
			p.set("", nil)
			if got, err := read(t, s, "k"); got != "body" || err != nil {
				t.Errorf("afterwards: %q, %v", got, err)
			}
		})
	}
}

func TestBodyUnderFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault fault
		err   error
	}{
		"cut": {cutBody, storage.ErrUnavailable}, "changed on the way": {flipBody, storage.ErrDamaged}, "slow but steady": {trickle, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p, _ := behind(t, 400*time.Millisecond)
			whole := strings.Repeat("0123456789", 6000)
			create(t, s, "k", whole, time.Time{})
			p.set("GET", c.fault)
			got, err := read(t, s, "k")
			if !errors.Is(err, c.err) || c.err == nil && (err != nil || got != whole) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if errors.Is(c.err, storage.ErrUnavailable) && errors.Is(err, storage.ErrDamaged) {
				t.Error("a lost connection was called damage")
			}
		})
	}
}

func TestDeleteUnderFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault fault
		err   error
		gone  bool
	}{
		"slow down":        {answers(503, slowDown), storage.ErrUnavailable, false},
		"404 of a gateway": {answers(404, html), storage.ErrOutcomeUnknown, false},
		"cut":              {cutAtOnce, storage.ErrOutcomeUnknown, false},
		"reply lost":       {after(cutAtOnce), storage.ErrOutcomeUnknown, true},
		"reply late":       {after(deaf), storage.ErrOutcomeUnknown, true},
		"done, then 502":   {after(answers(502, html)), storage.ErrOutcomeUnknown, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p, _ := behind(t, 500*time.Millisecond)
			create(t, s, "k", "body", time.Time{})
			p.set("DELETE", c.fault)
			if err := s.Delete(t.Context(), "k"); !errors.Is(err, c.err) {
				t.Errorf("delete: %v", err)
			}
			if n := p.requests("DELETE"); n != 1 {
				t.Errorf("%d requests were sent", n)
			}
			p.set("", nil)
			if _, err := s.Stat(t.Context(), "k"); c.gone != errors.Is(err, storage.ErrNotFound) {
				t.Errorf("stat: %v", err)
			}
			if err := s.Delete(t.Context(), "k"); err != nil {
				t.Errorf("again: %v", err)
			}
		})
	}
}

// A server that is killed and comes back has all it answered for, and nothing unfinished; the
// store goes on by itself.
func TestServerIsKilled(t *testing.T) {
	dir := t.TempDir()
	server := s3test.Start(t, dir, "127.0.0.1:0")
	c := server.Config(server.Bucket(t, true))
	c.Timeout = time.Second
	s := open(t, c)
	kept := map[string]bool{}
	done := make(chan error, 1)
	b := bytes.Repeat([]byte("y"), 200_000)
	go func() {
		for i := 0; ; i++ {
			key := "k/" + time.Duration(i).String()
			if err := s.Create(context.WithoutCancel(t.Context()), key, bytes.NewReader(b), int64(len(b)), certcopy.DigestOf(b), time.Time{}); err != nil {
				done <- err
				return
			}
			kept[key] = true
		}
	}()
	time.Sleep(300 * time.Millisecond)
	server.Stop()
	if err := <-done; !errors.Is(err, storage.ErrUnavailable) && !errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Errorf("the create that met the kill: %v", err)
	}
	if _, err := s.Stat(t.Context(), "k/0s"); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("while it is away: %v", err)
	}
	s3test.Start(t, dir, server.Address)
	listed := 0
	for info, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatalf("%s: %v", info.Key, err)
		}
		if _, err := read(t, s, info.Key); err != nil {
			t.Errorf("%s: %v", info.Key, err)
		}
		delete(kept, info.Key)
		listed++
	}
	if len(kept) > 0 || listed == 0 {
		t.Errorf("%d listed, lost %v", listed, kept)
	}
}

// Keys are taken from the file as it is now; a file that cannot be used leaves the last ones.
func TestCredentialsRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	replace := func(text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".new", []byte(text), 0o600), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	good := "[default]\naws_access_key_id = " + s3test.Keys.ID + "\naws_secret_access_key = \"" + string(s3test.Keys.Secret) + "\"\n"
	replace(good)
	server := s3test.Shared(t)
	c := server.Config(server.Bucket(t, true))
	c.Credentials = s3.FromFile(path)
	s := open(t, c)
	for i, step := range []struct {
		text string
		err  error
	}{
		{strings.Replace(good, "a secret", "another", 1), storage.ErrUnavailable},
		{good, nil},
		{"AWS_ACCESS_KEY_ID=half", nil}, // half written: the last keys stay
		{"AWS_ACCESS_KEY_ID=nobody\nAWS_SECRET_ACCESS_KEY=x\n", storage.ErrUnavailable},
		{"AWS_ACCESS_KEY_ID=" + s3test.Keys.ID + "\nAWS_SECRET_ACCESS_KEY=" + string(s3test.Keys.Secret), nil},
	} {
		replace(step.text)
		if err := put(t, s, "k/"+string(rune('a'+i)), "x", time.Time{}); !errors.Is(err, step.err) || step.err == nil && err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, "k/z", "x", time.Time{}); err != nil {
		t.Errorf("without the file: %v", err)
	}
	c.Credentials = s3.FromFile(path)
	if _, err := s3.Open(t.Context(), c); !errors.Is(err, storage.ErrUnavailable) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opened without keys: %v", err)
	}
}

func FuzzKeysFile(f *testing.F) {
	f.Add("[default]\naws_access_key_id = ID\naws_secret_access_key = \"THESECRET\"\n")
	f.Add("AWS_ACCESS_KEY_ID=ID\nAWS_SECRET_ACCESS_KEY=THESECRET\nAWS_SESSION_TOKEN=T\n# x\n[a]\n")
	f.Add("AWS_SECRET_ACCESS_KEY=THESECRET\nTHESECRET\n[x]\n[y]")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := s3.FromFile(path).Keys()
		if err == nil && (k.ID == "" || k.Secret == "") {
			t.Error("empty keys")
		}
		if err != nil && strings.Contains(err.Error(), "THESECRET") {
			t.Errorf("the error shows the secret: %v", err)
		}
	})
}
