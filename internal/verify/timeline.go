package verify

import (
	"slices"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/validation"
)

// Event is something that happened to a file or its copy.
type Event struct {
	At time.Time
	// Proven by a time-stamp or the register; else somebody claims it.
	Proven bool
	What   certcopy.Message
	// Who did it; may be empty.
	Who string
}

// Timeline returns what is known to have happened, oldest first: signatures and time-stamps of
// the file, and what the register says of the copy, if the file is that copy.
func (r *Report) Timeline() []Event {
	var events []Event
	for _, s := range r.Signatures {
		if s.Time.IsZero() {
			continue
		}
		e := Event{At: s.Time, Proven: s.TimeSource == validation.TimeFromTimestamp, What: certcopy.Msg("Ký", "Signed"), Who: s.Signer}
		if s.Kind == validation.KindDocTimestamp {
			e.What = certcopy.Msg("Dấu thời gian cho cả tệp", "Time-stamp on the whole file")
		}
		events = append(events, e)
	}
	if c := r.Copy; c != nil && r.Origin != Pretends && r.Origin != Another {
		events = append(events, Event{At: c.RegisteredAt, Proven: true, What: certcopy.Msg("Ghi vào sổ công khai", "Entered in the public register"), Who: c.Agency})
		if c.AnnulledAt != nil {
			events = append(events, Event{At: *c.AnnulledAt, Proven: true, Who: c.Agency,
				What: certcopy.Msg("Hủy bỏ giá trị pháp lý, quyết định "+c.DecisionNumber, "Declared without legal value, decision "+c.DecisionNumber)})
		}
		if c.ErasedAt != nil {
			events = append(events, Event{At: *c.ErasedAt, Proven: true, Who: c.Agency, What: certcopy.Msg("Xóa tệp lưu", "Stored file erased")})
		}
	}
	events = slices.DeleteFunc(events, func(e Event) bool { return e.At.IsZero() })
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return events
}
