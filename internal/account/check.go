package account

import (
	"fmt"
	"io"
	"slices"

	"github.com/saoy/saoy/internal/certcopy"
)

// Check refuses an account whose name, title or roles cannot be recorded. Its login name is
// CheckLogin's subject.
func Check(a Account) error {
	switch {
	case a.Name == "" || len([]rune(a.Name)) > certcopy.MaxNameRunes:
		return certcopy.Errorf(certcopy.Invalid, "name", nil, certcopy.Msg("Thiếu họ tên, hoặc họ tên quá dài. Hãy nhập lại.", "The name is missing or too long. Enter it again."))
	case len([]rune(a.Title)) > certcopy.MaxNameRunes:
		return certcopy.Errorf(certcopy.Invalid, "title", nil, certcopy.Msg("Chức danh quá dài. Hãy viết ngắn lại.", "The title is too long. Shorten it."))
	case len(a.Roles) == 0:
		return certcopy.Errorf(certcopy.Invalid, "role", nil, certcopy.Msg("Chưa chọn vai trò. Hãy chọn ít nhất một.", "No role is chosen. Choose at least one."))
	case a.Title == "" && slices.Contains(a.Roles, certcopy.Certifier):
		return certcopy.Errorf(certcopy.Invalid, "title", nil, certcopy.Msg(
			"Người ký chứng thực phải có chức danh, vì được in trên bản sao. Hãy nhập chức danh.",
			"A certifier needs a title, because it is printed on the copies. Enter it."))
	}
	return nil
}

// passwordLetters are easy to read aloud and to type: 31, without look-alikes.
const passwordLetters = "abcdefghjkmnpqrstuvwxyz23456789"

// NewPassword returns a random password for somebody who is then to choose one of their own:
// four groups of four letters and digits, 79 bits.
func NewPassword(rand io.Reader) (certcopy.Secret, error) {
	text := make([]byte, 0, 19)
	one := make([]byte, 1)
	for len(text) < cap(text) {
		if len(text)%5 == 4 {
			text = append(text, '-')
			continue
		}
		if _, err := io.ReadFull(rand, one); err != nil {
			return certcopy.Secret{}, fmt.Errorf("password: %w", err)
		}
		if one[0] < 248 { // 8 × 31: every letter as likely as any other
			text = append(text, passwordLetters[int(one[0])%len(passwordLetters)])
		}
	}
	return certcopy.NewSecret(text), nil
}
