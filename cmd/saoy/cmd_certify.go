package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

// certifyCommand is the whole way without the web: it acts for the clerk, the certifier and
// the seal keeper. That is possible only while their keys are demonstration keys.
type certifyCommand struct {
	dataFlag
	RequestID   string        `help:"Identifier of the request: the same one gives the same copy, also after a kill."`
	Requester   string        `help:"Name of the requester, for the book." default:"Người yêu cầu (dòng lệnh)"`
	Title       string        `help:"Title of the original; default: name of the first scan."`
	Type        string        `help:"Code of the document type." default:"khac"`
	IssuingBody string        `help:"Body that issued the original."`
	Pages       int           `help:"Pages of the paper original; default: pages of the scans."`
	Copies      int           `help:"Number of copies, for the book and the fee." default:"1"`
	LowRes      string        `help:"Why pages below 200 dpi are accepted; recorded with the copy." name:"low-resolution-reason" default:"người thực hiện chấp nhận, bằng dòng lệnh"`
	Output      string        `short:"o" required:"" help:"Where the certified copy goes." type:"path"`
	JSON        bool          `help:"Print exactly one JSON object on standard output."`
	Timeout     time.Duration `help:"How long to wait for the copy to be released." default:"10m"`
	Scans       []string      `arg:"" help:"JPEG, PNG, TIFF or PDF files, in the order of the pages." type:"existingfile"`
}

// certified is what the command prints.
type certified struct {
	Number    int64             `json:"number"`
	Book      certcopy.BookCode `json:"book"`
	Year      int               `json:"year"`
	Code      string            `json:"code"`
	VerifyURL string            `json:"verify_url"`
	SHA256    certcopy.Digest   `json:"sha256"`
	PDF       string            `json:"pdf"`
}

// Run certifies the scans as one copy. Exit status 0 when OUTPUT holds the released copy.
func (c certifyCommand) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	if err := canWrite(c.Output); err != nil {
		return err
	}
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Listen: defaultListen, Workers: 2}, attachable)
	if err != nil {
		return err
	}
	defer a.close()
	if !a.attached {
		stop := a.startWork(ctx)
		defer stop()
	}
	released, file, err := c.issue(ctx, a)
	if err != nil {
		return err
	}
	if err := writeOutput(c.Output, file); err != nil {
		return err
	}
	return c.print(certified{
		Number: released.Number.Seq, Book: released.Number.Book, Year: released.Number.Year, Code: released.Code,
		VerifyURL: a.verifyURL(released.Code), SHA256: released.Final.Digest, PDF: c.Output,
	})
}

func (c certifyCommand) print(out certified) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	fmt.Printf("Số chứng thực %d, quyển %s, năm %d\n%s\n%s\nSHA-256 %s\n", out.Number, out.Book, out.Year, out.VerifyURL, out.PDF, out.SHA256)
	return nil
}

// issue takes the copy from wherever an earlier run left it to its release.
func (c certifyCommand) issue(ctx context.Context, a *app) (certcopy.Copy, []byte, error) {
	people, err := a.demonstrators(ctx)
	if err != nil {
		return certcopy.Copy{}, nil, err
	}
	id, err := c.receive(ctx, a, people)
	if err != nil {
		return certcopy.Copy{}, nil, err
	}
	for {
		copy, err := a.store.Copy(ctx, id)
		if err != nil {
			return copy, nil, err
		}
		if copy.State == certcopy.Released {
			file, err := a.vault.Open(ctx, id, copy.Final.Digest)
			return copy, file, err
		}
		if err := c.act(ctx, a, people, copy); err != nil {
			return copy, nil, err
		}
		if err := a.wait(ctx, copy); err != nil {
			return copy, nil, stillWaiting(copy, err)
		}
	}
}

// receive opens the request, or finds the one an earlier run opened.
func (c certifyCommand) receive(ctx context.Context, a *app, people demonstrators) (certcopy.CopyID, error) {
	if c.RequestID == "" {
		c.RequestID = uuid.NewString()
	}
	if c.Title == "" {
		c.Title = filepath.Base(c.Scans[0])
	}
	original := certcopy.Original{Type: certcopy.DocumentTypeCode(c.Type), Title: c.Title, IssuingBody: c.IssuingBody,
		Pages: c.Pages, Copies: c.Copies}
	if original.Pages == 0 {
		original.Pages = len(c.Scans) // put right when the scans have been read
	}
	r, created, err := a.flow.Receive(ctx, certcopy.Request{Agency: people.agency, Channel: "cli", ExternalID: c.RequestID,
		CreatedBy: people.clerk, Requester: certcopy.Requester{Name: c.Requester}}, []certcopy.Original{original})
	if err != nil {
		return "", err
	}
	if len(r.Copies) != 1 {
		return "", fmt.Errorf("request %s holds %d copies", r.ID, len(r.Copies))
	}
	if !created {
		err = c.sameScans(ctx, a, r.Copies[0])
	}
	return r.Copies[0], err
}

// act does what a person would do next with the copy, if it waits for a person.
func (c certifyCommand) act(ctx context.Context, a *app, people demonstrators, copy certcopy.Copy) error {
	switch copy.State {
	case certcopy.Received:
		return c.upload(ctx, a, copy)
	case certcopy.Scanned, certcopy.Returned:
		return c.submit(ctx, a, people, copy)
	case certcopy.Submitted:
		if copy.Trouble != (certcopy.Message{}) && copy.CertifiedAt.IsZero() {
			return certcopy.Errorf(certcopy.Invalid, c.RequestID, nil, copy.Trouble)
		}
		if copy.CertifiedAt.IsZero() {
			return again(a.flow.Certify(ctx, people.confirmation(people.certifier, copy)))
		}
	case certcopy.Numbered, certcopy.Stamped, certcopy.Signed:
		if copy.SealedAt.IsZero() {
			return again(a.flow.Seal(ctx, people.confirmation(people.sealKeeper, copy)))
		}
	case certcopy.Sealed, certcopy.Registered:
	default:
		return certcopy.Errorf(certcopy.Conflict, c.RequestID, nil, certcopy.Msg(
			"Yêu cầu này đã kết thúc ở trạng thái “"+string(copy.State)+"”. Hãy dùng --request-id khác.",
			"This request has ended as "+string(copy.State)+". Use another --request-id."))
	}
	return nil
}

// again forgives a conflict: another run of the same request was faster, and the copy is
// looked at again.
func again(err error) error {
	if errors.Is(err, storage.ErrConflict) || certcopy.CodeOf(err) == certcopy.Conflict {
		return nil
	}
	return err
}

func (c certifyCommand) upload(ctx context.Context, a *app, copy certcopy.Copy) error {
	files := make([]issue.Upload, 0, len(c.Scans))
	for _, path := range c.Scans {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		files = append(files, issue.Upload{Name: filepath.Base(path), Body: f})
	}
	result, err := a.flow.Upload(ctx, copy.ID, copy.Revision, files)
	if err != nil {
		return again(err)
	}
	if len(result.Refused) > 0 {
		r := result.Refused[0]
		return certcopy.Errorf(certcopy.Invalid, r.Name, nil, r.Message)
	}
	pages := len(result.Copy.Clean.Pages)
	if c.Pages == 0 && pages != result.Copy.Original.Pages {
		o := result.Copy.Original
		o.Pages = pages
		return again(a.flow.EditOriginal(ctx, copy.ID, result.Copy.Revision, o))
	}
	return nil
}

func (c certifyCommand) submit(ctx context.Context, a *app, people demonstrators, copy certcopy.Copy) error {
	if page := issue.LowResolution(copy.Clean); page > 0 && c.LowRes != "" {
		fmt.Fprintf(os.Stderr, "Cảnh báo: trang %d dưới %d dpi; lý do được ghi lại: %s\nWarning: page %d is below %d dpi; the reason recorded: %s\n",
			page, certcopy.MinDPI, c.LowRes, page, certcopy.MinDPI, c.LowRes)
	}
	return again(a.flow.Submit(ctx, storage.Submission{Copy: copy.ID, Revision: copy.Revision, By: people.clerk,
		Checked: true, LowResolutionReason: c.LowRes}))
}

// sameScans refuses to go on with a request that was begun with other files.
func (c certifyCommand) sameScans(ctx context.Context, a *app, id certcopy.CopyID) error {
	scans, err := a.store.Scans(ctx, id)
	if err != nil || len(scans) == 0 {
		return err // nothing was uploaded before
	}
	var want, got []certcopy.Digest
	for _, path := range c.Scans {
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		want = append(want, certcopy.DigestOf(b))
	}
	for _, s := range scans {
		got = append(got, s.Digest)
	}
	if slices.Equal(want, got) {
		return nil
	}
	return certcopy.Errorf(certcopy.Conflict, c.RequestID, nil, certcopy.Msg(
		"Mã yêu cầu này đã được dùng với các tệp quét khác. Hãy dùng --request-id khác.",
		"This request identifier was used with other scans. Use another --request-id."))
}

// stillWaiting says why a copy was not released in time.
func stillWaiting(c certcopy.Copy, err error) error {
	if c.Trouble == (certcopy.Message{}) {
		return fmt.Errorf("copy %s is %s: %w", c.ID, c.State, err)
	}
	return certcopy.Errorf(certcopy.Unavailable, string(c.ID), err, c.Trouble)
}

// canWrite refuses an output that could not be written, before a number is taken for it.
func canWrite(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".saoy-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if stat, e := os.Stat(path); err == nil && e == nil && stat.IsDir() {
		err = syscall.EISDIR
	}
	if err == nil {
		return nil
	}
	return certcopy.Errorf(certcopy.Invalid, path, err, certcopy.Msg(
		"Không ghi được tệp kết quả ở đây; chưa có số nào được cấp. Hãy chọn thư mục khác bằng -o.",
		"The result cannot be written here; no number was taken. Choose another directory with -o."))
}

// writeOutput replaces a file, all or nothing.
func writeOutput(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".saoy-*")
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.ReadFrom(bytes.NewReader(b))
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return os.Rename(f.Name(), path)
}
