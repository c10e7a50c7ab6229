package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
)

// Upload is a file as it came.
type Upload struct {
	Name string // as the sender called it; only shown, never trusted or opened
	Body io.ReaderAt
	Size int64
}

// Intake reads uploads. It is safe for concurrent use; so many files are decoded at once as
// its runner has slots.
type Intake struct {
	runner *confine.Runner
	cache  string
}

// New makes an Intake that decodes in children of runner. cacheDir keeps compiled WebAssembly
// modules between children; whoever can write to it can change what runs in them. It may be
// "", which costs seconds for each PDF.
func New(runner *confine.Runner, cacheDir string) *Intake {
	return &Intake{runner: runner, cache: cacheDir}
}

// Read decodes one uploaded file and returns its pages. It reads nothing but the body, and
// decodes nothing in this process.
//
// Errors: *certcopy.Error with code Invalid and the file's name when the file is to blame;
// ctx's error; anything else is ours.
func (in *Intake) Read(ctx context.Context, u Upload) (*Result, error) {
	if u.Size == 0 {
		return nil, errEmpty(u.Name)
	}
	if u.Size > certcopy.MaxUploadBytes {
		return nil, errTooLarge(u.Name, u.Size)
	}
	head := make([]byte, min(u.Size, sniffBytes))
	if n, err := u.Body.ReadAt(head, 0); err != nil && n < len(head) {
		return nil, fmt.Errorf("intake %q: %w", u.Name, err)
	}
	format := sniff(head)
	if format == "" {
		return nil, errKind(u.Name)
	}
	res, err := in.confined(ctx, format, u)
	if err != nil {
		return nil, blame(u.Name, err)
	}
	for i := range res.Pages {
		res.Pages[i].settle()
	}
	return res, nil
}

// limits of a child. Pages come one after the other, so that silence bounds the time of one.
var limits = map[string]confine.Limits{
	"":    {Memory: 512 << 20, Output: 2 * certcopy.MaxUploadBytes, Time: 2 * time.Minute, Silence: 15 * time.Second},
	"pdf": {Memory: 512 << 20, Output: 2 * certcopy.MaxUploadBytes, Time: 5 * time.Minute, Silence: 15 * time.Second},
}

func (in *Intake) confined(ctx context.Context, format string, u Upload) (*Result, error) {
	args, err := json.Marshal(taskArgs{Name: u.Name, Format: format, Cache: in.cache})
	if err != nil {
		return nil, err
	}
	l, ok := limits[format]
	if !ok {
		l = limits[""]
	}
	var out bytes.Buffer
	err = in.runner.Run(ctx, confine.Call{Task: taskName, Args: args, Input: u.Body, Size: u.Size, Limits: l}, &out)
	if err != nil {
		return nil, err
	}
	return ReadResult(&out)
}

// blame makes of a child's end what a person should know: a file that kills its decoder
// is a bad file.
func blame(name string, err error) error {
	var limit *confine.LimitError
	var crash *confine.CrashError
	var task *confine.TaskError
	switch {
	case certcopy.CodeOf(err) == certcopy.Invalid:
		return err
	case errors.As(err, &limit):
		return errTooMuch(name, err)
	case errors.As(err, &crash):
		return errDamaged(name, err)
	case errors.As(err, &task):
		return fmt.Errorf("intake %q: %w", name, err)
	}
	return fmt.Errorf("intake %q: %w", name, err)
}

// settle computes in this process what follows from the image the child described, anew if
// it was done before.
func (p *Page) settle() {
	p.Sheet = place(&p.Image, p.Edit.Frame.Turned(p.Edit.Turn))
	p.Warnings = slices.DeleteFunc(slices.Clone(p.Warnings), func(w Warning) bool {
		return w.Code == BlankPage || w.Code == LowResolution || w.Code == Askew
	})
	if p.Edit.Frame == (Frame{}) && p.Look.Suggest != (Frame{}) {
		p.Warnings = append(p.Warnings, warnAskew(p.Look.Suggest))
	}
	if p.Free >= 1 {
		p.Warnings = append(p.Warnings, warnBlank())
	}
	if (certcopy.Page{DPI: p.Sheet.DPI}).LowResolution() {
		p.Warnings = append(p.Warnings, warnLowResolution(p.Sheet.DPI))
	}
}

// sniffBytes are enough to tell every format apart; a PDF may have some bytes before its
// header.
const sniffBytes = 1024

// sniff tells a format from the first bytes of a file.
func sniff(b []byte) string {
	has := func(at int, s string) bool { return len(b) >= at+len(s) && string(b[at:at+len(s)]) == s }
	switch {
	case has(0, "\xFF\xD8\xFF"):
		return "jpeg"
	case has(0, "\x89PNG\r\n\x1A\n"):
		return "png"
	case has(0, "II\x2A\x00"), has(0, "MM\x00\x2A"), has(0, "II\x2B\x00"), has(0, "MM\x00\x2B"):
		return "tiff"
	case has(0, "RIFF") && has(8, "WEBP"):
		return "webp"
	case has(4, "ftyp") && heicBrand(b):
		return "heic"
	case bytes.Contains(b, []byte("%PDF-")):
		return "pdf"
	}
	return ""
}

func heicBrand(b []byte) bool {
	if len(b) < 12 {
		return false
	}
	switch string(b[8:12]) {
	case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
		return true
	}
	return false
}

// ReadAll reads files side by side, as many at once as the runner has slots. results[i] or
// errs[i] belongs to uploads[i]: a bad file does not take the others with it.
func (in *Intake) ReadAll(ctx context.Context, uploads []Upload) (results []*Result, errs []error) {
	results, errs = make([]*Result, len(uploads)), make([]error, len(uploads))
	var wait sync.WaitGroup
	for i := range uploads {
		wait.Go(func() { results[i], errs[i] = in.Read(ctx, uploads[i]) })
	}
	wait.Wait()
	return results, errs
}
