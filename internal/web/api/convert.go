package api

import (
	"context"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
)

// request returns a request as the API shows it, with its copies.
func (a *API) request(ctx context.Context, r certcopy.Request) (Request, error) {
	out := Request{Id: string(r.ID), CreatedAt: r.CreatedAt.UTC(), ExternalId: r.ExternalID, DossierCode: r.DossierCode, Copies: []Copy{}}
	if strings.HasPrefix(out.ExternalId, "key:") {
		out.ExternalId = "" // not the client's own number, see CreateRequest
	}
	for _, id := range r.Copies {
		c, err := a.Ledger.Copy(ctx, id)
		if err != nil {
			return Request{}, err
		}
		out.Copies = append(out.Copies, a.copy(c))
	}
	return out, nil
}

// copy returns a copy as the API shows it. Personal data of the requester is not in it: the
// client has what it sent.
func (a *API) copy(c certcopy.Copy) Copy {
	out := Copy{
		Id: string(c.ID), Request: string(c.Request), State: CopyState(c.State), Revision: c.Revision, Pages: len(c.Clean.Pages), Code: c.Code,
		Original: Original{Type: string(c.Original.Type), Title: c.Original.Title, IssuingBody: &c.Original.IssuingBody, Pages: c.Original.Pages, Copies: &c.Original.Copies},
		Reason:   notEmpty(c.Reason), ReasonText: notEmpty(c.ReasonText), Level: notEmpty(c.Final.Level),
	}
	if code, err := link.ParseCode(c.Code); err == nil {
		out.VerifyUrl = link.VerifyURL(a.Base, code)
	}
	if !c.Submission.IsZero() {
		out.Submission = notEmpty(c.Submission.String())
	}
	if n := c.Number; !n.IsZero() {
		book, day := n.BookReference(), n.Date.Format(time.DateOnly)
		out.Number, out.Book, out.Year, out.Date = &n.Seq, &book, &n.Year, &day
	}
	if !c.Final.Digest.IsZero() {
		out.Sha256, out.Size = notEmpty(c.Final.Digest.String()), &c.Final.Size
	}
	if c.Trouble != (certcopy.Message{}) {
		out.Trouble = &Message{Vi: c.Trouble.VI, En: c.Trouble.EN}
	}
	return out
}

func notEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
