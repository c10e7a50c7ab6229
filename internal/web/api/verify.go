package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/verify"
)

// What verifying costs a client, and what it has to spend.
const (
	costLookup  = 1
	costFile    = 20
	budget      = 2000
	perSecond   = 50
	maxFiles    = 20
	maxLookups  = 1000
	maxFileName = 255
)

// Verify answers for files, digests or codes: one, many, or one as a signed document.
func (a *API) Verify(ctx context.Context, q VerifyRequestObject) (VerifyResponseObject, error) {
	if asDocument(ctx) {
		return a.document(ctx, q)
	}
	if q.MultipartBody != nil {
		return a.verifyFiles(ctx, q.MultipartBody)
	}
	if b := q.JSONBody; b != nil && b.Items != nil {
		if b.Sha256 != nil || b.Code != nil {
			return nil, oneOf()
		}
		return a.verifyMany(ctx, *b.Items)
	}
	if q.JSONBody == nil {
		return nil, oneOf()
	}
	if err := a.spend(ctx, costLookup); err != nil {
		return nil, err
	}
	rep, err := a.lookUp(ctx, Lookup{Sha256: q.JSONBody.Sha256, Code: q.JSONBody.Code})
	if err != nil {
		return nil, err
	}
	return answerJSON{rep}, nil
}

// lookUp answers for a digest or a code.
func (a *API) lookUp(ctx context.Context, l Lookup) (*verify.Report, error) {
	switch {
	case (l.Sha256 == nil) == (l.Code == nil):
		return nil, oneOf()
	case l.Code != nil:
		code, err := link.FindCode(*l.Code)
		if err != nil {
			return nil, err
		}
		return a.Verifier.Code(ctx, code)
	}
	d, err := certcopy.ParseDigest(*l.Sha256)
	if err != nil {
		return nil, invalid("sha256", "Mã SHA-256 phải gồm 64 chữ số thập lục phân.", "A SHA-256 has 64 hexadecimal digits.")
	}
	return a.Verifier.Digest(ctx, d)
}

func oneOf() error {
	return invalid("", "Hãy gửi đúng một trong các mục: sha256, code hoặc items, hoặc gửi tệp.", "Send exactly one of sha256, code and items, or a file.")
}

// sent is a file of a form, in memory.
type sent struct {
	name  string
	bytes []byte
}

// nextFile reads the next part named "file"; io.EOF after the last.
func nextFile(parts *multipart.Reader) (sent, error) {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return sent{}, err
		}
		if err != nil {
			return sent{}, malformed(err)
		}
		if part.FormName() != "file" {
			continue
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return sent{}, malformed(err)
		}
		return sent{name: baseName(part.FileName()), bytes: b}, nil
	}
}

// baseName drops folders of either kind and bounds the rest.
func baseName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	return strings.ToValidUTF8(name[:min(len(name), maxFileName)], "")
}

func (a *API) verifyFile(ctx context.Context, f sent) (*verify.Report, error) {
	return a.Verifier.File(ctx, f.name, bytes.NewReader(f.bytes), int64(len(f.bytes)))
}

func noFile() error {
	return invalid("file", "Không có tệp. Hãy gửi một phần tên “file”.", "There is no file. Send a part named “file”.")
}

// spend takes cost from the client's budget.
func (a *API) spend(ctx context.Context, cost float64) error {
	who := client(ctx).ID
	if !a.budgets.Enter(who) {
		return errTooMany
	}
	a.budgets.Spend(who, cost)
	return nil
}

// errTooMany: the client has spent its budget.
var errTooMany = errors.New("too many verifications")

// answerJSON is an answer in one of the forms of the specification.
type answerJSON struct{ body any }

// VisitVerifyResponse implements VerifyResponseObject.
func (r answerJSON) VisitVerifyResponse(w http.ResponseWriter) error {
	b, err := json.Marshal(r.body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(append(b, '\n'))
	return err
}
