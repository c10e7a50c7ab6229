package issue

import (
	"context"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/storage"
)

// saltBytes is the length of the salt that blinds the private facts in the leaf.
const saltBytes = 32

// Receive opens a request with its originals. A request with the ExternalID of an earlier
// one of the same agency and channel is that earlier one: it is returned, created is false,
// and nothing is changed.
func (f *Flow) Receive(ctx context.Context, r certcopy.Request, originals []certcopy.Original) (stored certcopy.Request, created bool, err error) {
	if err := validRequester(r.Requester); err != nil {
		return r, false, err
	}
	id, err := f.newID()
	if err != nil {
		return r, false, err
	}
	r.ID = certcopy.RequestID(id)
	copies := make([]storage.NewCopy, len(originals))
	for i, o := range originals {
		if copies[i], err = f.newCopy(o); err != nil {
			return r, false, err
		}
	}
	return f.Ledger.CreateRequest(ctx, r, copies)
}

// AddOriginal adds an original to a request of which nothing has been submitted yet.
func (f *Flow) AddOriginal(ctx context.Context, r certcopy.RequestID, o certcopy.Original) (certcopy.CopyID, error) {
	c, err := f.newCopy(o)
	if err != nil {
		return "", err
	}
	return c.ID, f.Ledger.AddCopy(ctx, r, c)
}

// EditOriginal replaces the facts of a copy that is not submitted, if it still has the revision.
func (f *Flow) EditOriginal(ctx context.Context, id certcopy.CopyID, revision int, o certcopy.Original) error {
	if err := validOriginal(o); err != nil {
		return err
	}
	return f.Ledger.EditCopy(ctx, id, revision, o)
}

// newCopy makes identifier, verification code and salt of a copy to be. The code is minted
// here, long before it answers, because its QR is inside the signed bytes.
func (f *Flow) newCopy(o certcopy.Original) (storage.NewCopy, error) {
	if err := validOriginal(o); err != nil {
		return storage.NewCopy{}, err
	}
	id, err := f.newID()
	if err != nil {
		return storage.NewCopy{}, err
	}
	code, err := link.NewCode(f.Rand)
	if err != nil {
		return storage.NewCopy{}, fmt.Errorf("verification code: %w", err)
	}
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(f.Rand, salt); err != nil {
		return storage.NewCopy{}, fmt.Errorf("salt: %w", err)
	}
	return storage.NewCopy{ID: certcopy.CopyID(id), Code: code.String(), CodeHash: code.Hash(), Salt: salt, Original: o}, nil
}

// newID returns a UUID of version 7, in time order so that indexes stay dense.
func (f *Flow) newID() (string, error) {
	id, err := uuid.NewV7FromReader(f.Rand)
	if err != nil {
		return "", fmt.Errorf("identifier: %w", err)
	}
	return id.String(), nil
}

func validRequester(r certcopy.Requester) error {
	if err := validText("requester.name", r.Name, certcopy.MaxNameRunes); err != nil {
		return err
	}
	if r.Email == "" {
		return nil
	}
	if _, err := mail.ParseAddress(r.Email); err != nil {
		return certcopy.Errorf(certcopy.Invalid, "requester.email", nil, certcopy.Msg(
			"Địa chỉ thư điện tử không đúng. Hãy sửa, hoặc để trống.",
			"The e-mail address is not valid. Correct it, or leave it empty."))
	}
	return nil
}

func validOriginal(o certcopy.Original) error {
	if o.Type == "" {
		return certcopy.Errorf(certcopy.Invalid, "original.type", nil, certcopy.Msg(
			"Chưa chọn loại giấy tờ. Hãy chọn một loại; nếu không có thì chọn “Khác”.",
			"No document type is chosen. Choose one; if none fits, choose “Other”."))
	}
	if err := validText("original.title", o.Title, certcopy.MaxTitleRunes); err != nil {
		return err
	}
	if utf8.RuneCountInString(o.IssuingBody) > certcopy.MaxTitleRunes {
		return tooLong("original.issuing_body", certcopy.MaxTitleRunes)
	}
	if o.Pages < 1 || o.Pages > certcopy.MaxPages {
		return certcopy.Errorf(certcopy.Invalid, "original.pages", nil, certcopy.Msg(
			fmt.Sprintf("Số trang của bản chính phải từ 1 đến %d. Hãy đếm lại trang của bản giấy.", certcopy.MaxPages),
			fmt.Sprintf("The pages of the original must be 1 to %d. Count the pages of the paper.", certcopy.MaxPages)))
	}
	if o.Copies < 1 || o.Copies > certcopy.MaxCopiesOfBook {
		return certcopy.Errorf(certcopy.Invalid, "original.copies", nil, certcopy.Msg(
			fmt.Sprintf("Số bản sao phải từ 1 đến %d.", certcopy.MaxCopiesOfBook),
			fmt.Sprintf("The number of copies must be 1 to %d.", certcopy.MaxCopiesOfBook)))
	}
	return nil
}

// validText accepts one line of 1 to limit characters without controls.
func validText(subject, s string, limit int) error {
	if strings.TrimSpace(s) == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return certcopy.Errorf(certcopy.Invalid, subject, nil, certcopy.Msg(
			"Ô bắt buộc đang trống hoặc chứa ký tự không hợp lệ. Hãy nhập lại trên một dòng.",
			"A required field is empty or holds invalid characters. Enter it again on one line."))
	}
	if utf8.RuneCountInString(s) > limit {
		return tooLong(subject, limit)
	}
	return nil
}

func tooLong(subject string, limit int) error {
	return certcopy.Errorf(certcopy.Invalid, subject, nil, certcopy.Msg(
		fmt.Sprintf("Nội dung dài quá %d ký tự. Hãy viết ngắn lại.", limit),
		fmt.Sprintf("The text is longer than %d characters. Shorten it.", limit)))
}
