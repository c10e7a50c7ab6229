package api

import (
	"context"
	"errors"
	"slices"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Certify confirms certification on behalf of the one official the client is bound to.
func (a *API) Certify(ctx context.Context, q CertifyRequestObject) (CertifyResponseObject, error) {
	copies, err := a.confirm(ctx, *q.Body, ScopeCertify, a.Flow.Certify, func(c certcopy.Copy, by certcopy.AccountID) bool { return c.CertifiedBy.Account == by })
	return Certify202JSONResponse{Copies: copies}, err
}

// Seal confirms sealing on behalf of the one seal keeper the client is bound to.
func (a *API) Seal(ctx context.Context, q SealRequestObject) (SealResponseObject, error) {
	copies, err := a.confirm(ctx, *q.Body, ScopeSeal, a.Flow.Seal, func(c certcopy.Copy, by certcopy.AccountID) bool { return c.SealedBy == by })
	return Seal202JSONResponse{Copies: copies}, err
}

// confirm records one confirmation of all the copies or of none. If it was recorded before and
// only the answer was lost, done tells so of every copy, and it is answered again.
func (a *API) confirm(ctx context.Context, b Confirmation, scope string, record func(context.Context, storage.Confirmation) error,
	done func(certcopy.Copy, certcopy.AccountID) bool) ([]Copy, error) {
	k := client(ctx)
	by, err := a.Clients.ActsFor(ctx, k.ID, scope)
	if err != nil {
		return nil, err
	}
	shown := make(map[certcopy.CopyID]certcopy.Digest, len(b.Copies))
	for _, x := range b.Copies {
		d, err := certcopy.ParseDigest(x.Submission)
		if err != nil {
			return nil, invalid("submission", "Mã tóm tắt của nội dung đã xem (submission) không hợp lệ.", "The digest of what was shown (submission) is malformed.")
		}
		if _, err := a.own(ctx, x.Id); err != nil {
			return nil, err
		}
		shown[certcopy.CopyID(x.Id)] = d
	}
	err = record(ctx, storage.Confirmation{Agency: k.Agency, By: by, Client: k.ID, Shown: shown})
	after, readErr := a.read(ctx, b)
	if readErr != nil {
		return nil, errors.Join(err, readErr)
	}
	repeated := !slices.ContainsFunc(after, func(c certcopy.Copy) bool { return !done(c, by) || c.Submission != shown[c.ID] })
	if err != nil && (!errors.Is(err, storage.ErrConflict) || !repeated) {
		return nil, err
	}
	out := make([]Copy, len(after))
	for i, c := range after {
		out[i] = a.copy(c)
	}
	return out, nil
}

func (a *API) read(ctx context.Context, b Confirmation) ([]certcopy.Copy, error) {
	var copies []certcopy.Copy
	for _, x := range b.Copies {
		c, err := a.Ledger.Copy(ctx, certcopy.CopyID(x.Id))
		if err != nil {
			return nil, err
		}
		copies = append(copies, c)
	}
	return copies, nil
}
