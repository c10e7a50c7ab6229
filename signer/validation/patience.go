package validation

import (
	"context"
	"io"
	"time"
)

// outOfTime is the verdict on a file that would take too long.
func (x *examiner) outOfTime() *Report {
	m := msgTooLong.of(x.options.MaxTime)
	r := &Report{SHA256: x.report.SHA256, Size: x.size, Indication: TotalFailed, SubIndication: FormatFailure,
		Integrity: IntegrityNotChecked, Status: StatusNotChecked, Issuer: Undetermined}
	r.Checks = append(r.Checks, m.check("file-structure", Failed))
	r.Warnings = append(r.Warnings, m.vi+" / "+m.en)
	return r
}

// limited is a context that ends when the time for a file is spent.
type limited struct {
	context.Context
	spent func() time.Duration
	until time.Duration
	calls int
	over  bool
}

func (o Options) limit(ctx context.Context) context.Context {
	if o.MaxTime <= 0 || o.Spent == nil {
		return ctx
	}
	return &limited{Context: ctx, spent: o.Spent, until: o.Spent() + o.MaxTime}
}

// Err implements context.Context. The clock is looked at every few calls: asking costs more
// than reading a small object.
func (l *limited) Err() error {
	if l.calls++; l.calls%32 == 0 {
		l.over = l.over || l.spent() > l.until
	}
	if l.over {
		return context.DeadlineExceeded
	}
	return l.Context.Err()
}

// patientReader reads as long as there is time.
type patientReader struct {
	ctx context.Context
	io.ReaderAt
}

func (r patientReader) ReadAt(b []byte, at int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.ReaderAt.ReadAt(b, at)
}
