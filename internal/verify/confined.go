package verify

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

// taskName names the confined task.
const taskName = "verify"

// Tasks are what confine.Main must be given for Confined to work.
var Tasks = map[string]confine.Task{taskName: {Run: runTask}}

// Limits of one examination in the child.
const (
	ExamineMemory = 512 << 20
	ExamineTime   = 20 * time.Second
	maxReport     = 8 << 20
	// WorkTime is the processor time after which the validator itself gives a file up: a
	// clearer end than being killed.
	WorkTime = 4 * time.Second
)

// Confined examines each file in a child process without network, keys or register, killed at
// its limits: for files of strangers. Revocation data come from the file alone.
type Confined struct {
	Runner  *confine.Runner
	Anchors *trust.Store
	Now     func() time.Time
}

// Direct examines in this process and may fetch revocation data: for a person's own files.
type Direct struct{ Options validation.Options }

// Examine implements Examiner.
func (d Direct) Examine(ctx context.Context, name string, r io.ReaderAt, size int64) (*Examination, error) {
	return examine(ctx, name, r, size, func(ctx context.Context, r io.ReaderAt, size int64) (*validation.Report, error) {
		return validation.File(ctx, r, size, d.Options)
	})
}

// request is what the child is told beside the file.
type request struct {
	Name    string    `json:"name"`
	At      time.Time `json:"at"`
	Anchors []anchor  `json:"anchors"`
}

// anchor carries a trust.Anchor to the child.
type anchor struct {
	trust.Anchor
	Certificate []byte // in DER, in place of the parsed one
}

// Examine implements Examiner. A child that exhausts its limits or crashes is a verdict: the
// file could not be examined.
func (c Confined) Examine(ctx context.Context, name string, r io.ReaderAt, size int64) (*Examination, error) {
	q := request{Name: name, At: c.Now()}
	if c.Anchors != nil {
		for _, a := range c.Anchors.Anchors() {
			der := a.Certificate.Raw
			a.Certificate = nil
			q.Anchors = append(q.Anchors, anchor{a, der})
		}
	}
	args, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = c.Runner.Run(ctx, confine.Call{Task: taskName, Args: args, Input: r, Size: size,
		Limits: confine.Limits{Memory: ExamineMemory, Time: ExamineTime, Output: maxReport}}, &out)
	if why, hopeless := childDied(err); hopeless {
		return unexaminable(name, r, size, why)
	}
	if err != nil {
		return nil, fmt.Errorf("examine file: %w", err)
	}
	var e Examination
	if err := gob.NewDecoder(&out).Decode(&e); err != nil {
		return nil, fmt.Errorf("examine file: %w", err)
	}
	return &e, nil
}

// childDied reports whether the file, and not the machine, is why there is no answer.
func childDied(err error) (why certcopy.Message, hopeless bool) {
	var crash *confine.CrashError
	var limit *confine.LimitError
	switch {
	case errors.As(err, &limit):
		return sayTooDemanding, true
	case errors.As(err, &crash):
		return sayCrashed, true
	}
	return why, false
}

// unexaminable is the verdict on a file that brought the child down. Its digest is still
// computed, here, by code that interprets nothing.
func unexaminable(name string, r io.ReaderAt, size int64, why certcopy.Message) (*Examination, error) {
	b := make([]byte, size)
	if n, err := r.ReadAt(b, 0); int64(n) != size {
		return nil, fmt.Errorf("read %s: %w", name, errors.Join(err, io.ErrUnexpectedEOF))
	}
	return &Examination{Digest: certcopy.DigestOf(b), Size: size, Report: &validation.Report{
		File: name, Indication: validation.TotalFailed, SubIndication: validation.FormatFailure,
		Integrity: validation.IntegrityNotChecked, Issuer: validation.Undetermined, Status: validation.StatusNotChecked,
		Checks: []validation.Check{{ID: string(checkExamined), Clause: clauses[checkExamined], Result: validation.Failed, VI: why.VI, EN: why.EN}},
	}}, nil
}

// runTask runs in the child.
func runTask(ctx context.Context, j confine.Job) error {
	var q request
	if err := json.Unmarshal(j.Args, &q); err != nil {
		return err
	}
	o := validation.Options{At: q.At, MaxTime: WorkTime, Spent: confine.ProcessorTime}
	var anchors []trust.Anchor
	for _, a := range q.Anchors {
		cert, err := x509.ParseCertificate(a.Certificate)
		if err != nil {
			return err
		}
		a.Anchor.Certificate = cert
		anchors = append(anchors, a.Anchor)
	}
	o.Anchors = trust.NewStore(anchors...)
	e, err := Direct{o}.Examine(ctx, q.Name, j.Input, j.Size)
	if err != nil {
		return err
	}
	return gob.NewEncoder(j.Output).Encode(e)
}
