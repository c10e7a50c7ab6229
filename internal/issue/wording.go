package issue

import (
	"context"
	"fmt"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/stamp"
)

// Wordings gives the wordings of the statement that an agency has decided on, each JSON of a
// stamp.Template. What it says of a day that has begun never changes.
type Wordings interface {
	WordingsInForce(ctx context.Context, agency certcopy.AgencyID) ([]desk.Wording, error)
}

// wording returns what the statement says on a day: the newest of the law's forms and the
// agency's own. A form of the law that is newer than the agency's displaces it.
func (f *Flow) wording(ctx context.Context, agency certcopy.AgencyID, day time.Time) (stamp.Template, error) {
	all := stamp.Statutory()
	if f.Wordings == nil {
		return stamp.TemplateAt(all, day)
	}
	own, err := f.Wordings.WordingsInForce(ctx, agency)
	if err != nil {
		return stamp.Template{}, fmt.Errorf("wording: %w", err)
	}
	for _, w := range own {
		if w.From.After(day) {
			continue // not yet read: a newer program may have written it
		}
		t, err := stamp.ReadTemplate(w.Body)
		if err != nil {
			return stamp.Template{}, err
		}
		t.From = w.From
		all = append(all, t)
	}
	return stamp.TemplateAt(all, day)
}
