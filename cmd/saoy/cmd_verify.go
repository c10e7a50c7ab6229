package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

// verifyCommand validates files. It needs no installation and asks no register.
type verifyCommand struct {
	JSON    bool          `help:"Print one JSON object per file, one line each."`
	Trust   []string      `help:"File of trust anchors, a dated list (docs/verification.md) or PEM, or \"system\" for those of this machine; may be repeated. None by default." placeholder:"FILE"`
	Policy  string        `help:"Dated list of the algorithms that count (docs/verification.md); default: ETSI TS 119 312." placeholder:"FILE"`
	At      time.Time     `help:"Time of validation, RFC 3339; default: now."`
	Offline bool          `help:"Use only what the files carry; fetch nothing."`
	MaxSize int64         `help:"Largest file that is read, in bytes." default:"67108864"`
	MaxTime time.Duration `help:"Most processor time for one file; beyond it the verdict is that it could not be examined." default:"4s"`
	Timeout time.Duration `help:"Longest time for one file, the network counted." default:"60s"`
	Files   []string      `arg:"" optional:"" help:"PDF files; with --proof there may be none."`
	proofFlags
}

// verifyMemory is from where on memory is collected eagerly: a hostile file shall cost time
// rather than the machine.
const verifyMemory = 384 << 20

// Run prints a report per file. Exit status 0: every file passed; 1: some did not; 2: some
// could not be read at all.
func (c verifyCommand) Run(ctx context.Context) error {
	if done, err := c.checked(c.Files, c.JSON); done {
		return err
	}
	options, err := c.options()
	if err != nil {
		return &exitError{exitUnusable, err}
	}
	debug.SetMemoryLimit(verifyMemory)
	status := 0
	for _, name := range c.Files {
		report, err := c.verify(ctx, name, options)
		if err != nil {
			fmt.Fprintln(os.Stderr, certcopyReport(name, err))
			status = exitUnusable
			continue
		}
		if err := c.print(report); err != nil {
			return &exitError{exitUnusable, err}
		}
		if report.Indication != validation.TotalPassed {
			status = max(status, exitFailed)
		}
	}
	if status != 0 {
		return &exitError{status: status}
	}
	return nil
}

func (c verifyCommand) options() (validation.Options, error) {
	o := validation.Options{At: c.At, MaxTime: c.MaxTime, Spent: confine.ProcessorTime}
	if o.At.IsZero() {
		o.At = time.Now()
	}
	if c.Policy != "" {
		policy, err := readPolicy(c.Policy)
		if err != nil {
			return o, err
		}
		o.Policy = policy
	}
	var anchors []trust.Anchor
	for _, name := range c.Trust {
		more, err := trustedBy(name)
		if err != nil {
			return o, err
		}
		anchors = append(anchors, more...)
	}
	o.Anchors = trust.NewStore(anchors...)
	if !c.Offline {
		o.Source = trust.NewSource(trust.NewFetcher(trust.FetcherConfig{}), false)
	}
	return o, nil
}

// systemAnchors are where distributions keep the machine's own anchors.
var systemAnchors = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}

// trustedBy reads a file of anchors, or the machine's own bundle.
func trustedBy(name string) ([]trust.Anchor, error) {
	if name != "system" {
		return readAnchors(name)
	}
	for _, bundle := range systemAnchors {
		if _, err := os.Stat(bundle); err == nil {
			return readAnchors(bundle)
		}
	}
	return nil, certcopy.Errorf(certcopy.NotFound, name, nil, certcopy.Msg(
		"Máy này không có danh sách chứng thư gốc của hệ điều hành. Hãy chỉ ra một tệp bằng --trust.",
		"This machine has no bundle of root certificates. Name a file with --trust."))
}

// verify examines one file. An error means that it could not be read at all; whatever is in
// it is a verdict, even if it brings a reader of ours down.
func (c verifyCommand) verify(ctx context.Context, name string, o validation.Options) (report *validation.Report, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, certcopy.Errorf(certcopy.NotFound, name, err, certcopy.Msg("Không mở được tệp. Hãy kiểm tra tên tệp.", "The file cannot be opened. Check its name."))
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, certcopy.Errorf(certcopy.Invalid, name, err, certcopy.Msg("Không đọc được tệp.", "The file cannot be read."))
	}
	if size > c.MaxSize {
		return nil, certcopy.Errorf(certcopy.Invalid, name, nil, certcopy.Msg(
			fmt.Sprintf("Tệp có %d byte, quá giới hạn %d. Hãy dùng --max-size.", size, c.MaxSize),
			fmt.Sprintf("The file has %d bytes, more than %d. Use --max-size.", size, c.MaxSize)))
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "saoy: %s: %v\n%s", name, p, debug.Stack())
			report, err = notExaminable(name, size, sayCrashed), nil
		}
	}()
	report, err = validation.File(ctx, f, size, o)
	if errors.Is(err, context.DeadlineExceeded) {
		report = notExaminable(name, size, sayTimeout)
		report.Indication, report.SubIndication = validation.Indeterminate, validation.TryLater
		return report, nil
	}
	if report != nil {
		report.File = name
	}
	return report, err
}

// What is said of a file that no reader of ours finishes.
var (
	sayCrashed = certcopy.Msg("Không kiểm tra được tệp: chương trình đọc bị dừng vì nội dung tệp. Hãy xin lại tệp từ nơi gửi.", "The file could not be examined: its content stopped the reader. Ask the sender for the file again.")
	sayTimeout = certcopy.Msg("Không kiểm tra xong tệp trong thời gian cho phép. Hãy thử lại với --timeout lớn hơn, hoặc --offline.", "The file could not be examined in the time allowed. Try a longer --timeout, or --offline.")
)

func notExaminable(name string, size int64, why certcopy.Message) *validation.Report {
	return &validation.Report{File: name, Size: size, Indication: validation.TotalFailed, SubIndication: validation.FormatFailure,
		Integrity: validation.IntegrityNotChecked, Status: validation.StatusNotChecked, Issuer: validation.Undetermined,
		Warnings: []string{why.VI + " / " + why.EN}}
}

func (c verifyCommand) print(r *validation.Report) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	fmt.Printf("%s\n  %s %s   toàn vẹn/integrity: %s   người ký/issuer: %s\n", r.File, r.Indication, r.SubIndication, r.Integrity, r.Issuer)
	for _, s := range r.Signatures {
		fmt.Printf("  %s  %s  %s  %s  %s  sau đó/after: %s\n", s.Field, s.Kind, s.Level, s.Signer, s.Indication, s.ChangesAfter)
		for _, check := range s.Checks {
			if check.Result == validation.Failed {
				fmt.Printf("    ✗ %s\n      %s (%s)\n", check.VI, check.EN, check.Clause)
			}
		}
	}
	for _, check := range r.Checks {
		if check.Result == validation.Failed {
			fmt.Printf("  ✗ %s\n    %s (%s)\n", check.VI, check.EN, check.Clause)
		}
	}
	for _, w := range r.Warnings {
		fmt.Printf("  ! %s\n", w)
	}
	return nil
}

// certcopyReport is report with the file's name in front of errors that lack it.
func certcopyReport(name string, err error) string {
	var e *certcopy.Error
	if errors.As(err, &e) {
		return report(err)
	}
	return "saoy: " + name + ": " + err.Error()
}
