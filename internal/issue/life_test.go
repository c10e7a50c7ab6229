package issue_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/storage"
)

// visit is one request with one original, and what its people do about it.
type visit struct {
	w        *world
	external string
	to       certcopy.State // where it ends; Released if empty
}

func (w *world) visit() *visit {
	return &visit{w: w, external: fmt.Sprintf("visit-%d", w.serial.Add(1)), to: certcopy.Released}
}

func (v *visit) request() certcopy.Request {
	return certcopy.Request{Agency: v.w.Office.Agency, Channel: "counter", ExternalID: v.external, CreatedBy: v.w.Clerk,
		Requester: certcopy.Requester{Name: "Phạm Thị Hường"}}
}

func original() certcopy.Original {
	return certcopy.Original{Type: "khai-sinh", Title: "Giấy khai sinh số 12/2019", IssuingBody: "UBND xã Ân Tường Đông", Pages: 1, Copies: 2}
}

// goOn does what is next for the visit's copy, as its people, the job and the publisher
// would who look where it stands, until nothing is left to do.
func (v *visit) goOn(ctx context.Context, f *issue.Flow) error {
	r, _, err := f.Receive(ctx, v.request(), []certcopy.Original{original()})
	if err != nil {
		return err
	}
	id := r.Copies[0]
	v.w.mu.Lock()
	v.w.current = id
	v.w.mu.Unlock()
	for {
		c, err := v.w.store.Copy(ctx, id)
		if err != nil || c.State == v.to {
			return err
		}
		if err := v.next(ctx, f, c); err != nil {
			return err
		}
	}
}

func (v *visit) next(ctx context.Context, f *issue.Flow, c certcopy.Copy) error {
	agreed := storage.Confirmation{Agency: c.Agency, By: v.w.Certifier, Shown: map[certcopy.CopyID]certcopy.Digest{c.ID: c.Submission}}
	switch {
	case c.State == certcopy.Received:
		return v.scan(ctx, f, c)
	case c.State == certcopy.Scanned:
		if _, err := f.PageImage(ctx, c.ID, 1, 400); err != nil {
			return err
		}
		return f.Submit(ctx, storage.Submission{Copy: c.ID, Revision: c.Revision, By: v.w.Clerk, Checked: true})
	case c.State == certcopy.Submitted && c.CertifiedAt.IsZero():
		return f.Certify(ctx, agreed)
	case c.State == certcopy.Signed && c.SealedAt.IsZero():
		agreed.By = v.w.SealKeeper
		return f.Seal(ctx, agreed)
	case c.State == certcopy.Registered:
		_, err := f.Publish(ctx)
		return err
	case c.State == certcopy.Released:
		return fmt.Errorf("copy %s has gone past %s", c.ID, v.to)
	}
	return f.Advance(ctx, c.ID)
}

// scan uploads the page, or finishes an upload whose scans are there already.
func (v *visit) scan(ctx context.Context, f *issue.Flow, c certcopy.Copy) error {
	scans, err := v.w.store.Scans(ctx, c.ID)
	if err != nil {
		return err
	}
	if len(scans) == 0 {
		_, err = f.Upload(ctx, c.ID, c.Revision, []issue.Upload{{Name: "ban-chinh.jpg", Body: strings.NewReader("\xFF\xD8\xFF")}})
		return err
	}
	var order []certcopy.ScanID
	for _, s := range scans {
		order = append(order, s.ID)
	}
	_, err = f.Arrange(ctx, c.ID, c.Revision, order)
	return err
}

// bring takes a new visit to a state without faults and returns its copy.
func (w *world) bring(t testing.TB, f *issue.Flow, to certcopy.State) certcopy.Copy {
	t.Helper()
	v := w.visit()
	v.to = to
	if err := v.goOn(context.Background(), f); err != nil {
		t.Fatalf("to %s: %v", to, err)
	}
	return w.copy(t)
}

// copy is the copy that was last worked on, as the ledger has it.
func (w *world) copy(t testing.TB) certcopy.Copy {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	return must(w.store.Copy(context.Background(), w.current))(t)
}

// check holds the visit's copy to what every fault must leave: released under the next
// number, one leaf, one file of each kind that is a function of the stored artifacts, and no
// key used for two different contents of a generation.
func (w *world) check(t testing.TB, number int64) {
	t.Helper()
	ctx := context.Background()
	c := w.copy(t)
	if c.State != certcopy.Released || c.Number.Seq != number || c.Trouble != (certcopy.Message{}) {
		t.Errorf("copy is %s under number %d, trouble %q; want released under %d", c.State, c.Number.Seq, c.Trouble.EN, number)
	}
	if leaves := must(w.store.LeavesOf(ctx, c.ID))(t); len(leaves) != 1 || leaves[0] != certcopy.LeafIndex(number-1) {
		t.Errorf("leaves %v", leaves)
	}
	if scans := must(w.store.Scans(ctx, c.ID))(t); len(scans) != 1 || len(c.Clean.Pages) != 1 {
		t.Errorf("%d scans, %d pages", len(scans), len(c.Clean.Pages))
	}
	w.checkKeys(t, c.ID)
	w.checkFiles(t, c)
}

// checkKeys: per generation, one content; the generations in use follow each other.
func (w *world) checkKeys(t testing.TB, id certcopy.CopyID) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	roles := map[certcopy.SignatureRole]bool{}
	for u, digests := range w.signed {
		if u.copy != id {
			continue
		}
		roles[u.role] = true
		if len(digests) != 1 {
			t.Errorf("the key of %s signed %d different contents in generation %d", u.role, len(digests), u.generation)
		}
	}
	if len(roles) != 2 {
		t.Errorf("roles that signed: %v", roles)
	}
}

// checkFiles makes every file again from what is stored, and looks for others.
func (w *world) checkFiles(t testing.TB, c certcopy.Copy) {
	t.Helper()
	ctx := context.Background()
	file := w.onlyFile(t, "stamped", c.ID)
	for _, s := range []struct {
		role certcopy.SignatureRole
		dir  string
	}{{certcopy.ByCertifier, "signed"}, {certcopy.ByAgency, "sealed"}} {
		var p struct {
			PDF *pades.Prepared `json:"pdf"`
		}
		if err := json.Unmarshal(w.artifact(t, c.ID, s.role, storage.Prepared), &p); err != nil {
			t.Fatal(err)
		}
		var made bytes.Buffer
		if err := p.PDF.Embed(bytes.NewReader(file), w.artifact(t, c.ID, s.role, storage.CMS), &made); err != nil {
			t.Fatalf("%s: %v", s.dir, err)
		}
		file = w.onlyFile(t, s.dir, c.ID)
		if !bytes.Equal(file, made.Bytes()) {
			t.Errorf("the %s file is not the one its artifacts make", s.dir)
		}
	}
	final := append(file[:len(file):len(file)], w.artifact(t, c.ID, certcopy.ByAgency, storage.DSS)...)
	if certcopy.DigestOf(final) != c.Final.Digest {
		t.Error("the final file is not the one its artifacts make")
	}
	v := &vault.Vault{Blobs: w.files, Keys: w.store, Master: w.master}
	if kept := must(v.Open(ctx, c.ID, c.Final.Digest))(t); !bytes.Equal(kept, final) {
		t.Error("the vault holds another file")
	}
	if n := count(t, w.files, "copies/"+string(c.ID)+"/"); n != 1 {
		t.Errorf("the vault holds %d files of the copy", n)
	}
}

func (w *world) artifact(t testing.TB, id certcopy.CopyID, role certcopy.SignatureRole, kind storage.Artifact) []byte {
	t.Helper()
	ctx := context.Background()
	g := must(w.store.Generation(ctx, id, role))(t)
	return must(w.store.Artifact(ctx, storage.ArtifactKey{Copy: id, Role: role, Generation: g, Kind: kind}))(t)
}

// onlyFile returns the one file that a step left of a copy, however often it was tried.
func (w *world) onlyFile(t testing.TB, dir string, id certcopy.CopyID) []byte {
	t.Helper()
	var key string
	for info, err := range w.scratch.List(context.Background(), dir+"/"+string(id)+"/") {
		if err != nil || key != "" {
			t.Fatalf("more than one %s file: %s, %s, %v", dir, key, info.Key, err)
		}
		key = info.Key
	}
	body, _, err := w.scratch.Open(context.Background(), key)
	if err != nil {
		t.Fatalf("%s file: %v", dir, err)
	}
	defer body.Close()
	return must(io.ReadAll(body))(t)
}

func count(t testing.TB, b storage.Blobs, prefix string) (n int) {
	t.Helper()
	for _, err := range b.List(context.Background(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}
