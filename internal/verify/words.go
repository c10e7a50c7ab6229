package verify

import (
	"slices"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/validation"
)

// Word is a verdict, a result or a class in words for people; an unknown value is "not
// checked".
func Word(value any) certcopy.Message {
	if m, ok := wordOf[value]; ok {
		return m
	}
	return certcopy.Msg("Chưa kiểm tra", "Not checked")
}

var wordOf = map[any]certcopy.Message{
	validation.Intact:        certcopy.Msg("Nguyên vẹn", "Intact"),
	validation.Modified:      certcopy.Msg("Đã bị thay đổi", "Modified"),
	validation.Broken:        certcopy.Msg("Chữ ký hỏng", "Broken"),
	validation.IntegrityNone: certcopy.Msg("Không có chữ ký", "No signature"),

	Valid:            certcopy.Msg("Có giá trị", "Valid"),
	Annulled:         certcopy.Msg("Đã bị hủy bỏ giá trị", "Annulled"),
	Void:             certcopy.Msg("Chưa từng phát hành", "Never issued"),
	Erased:           certcopy.Msg("Tệp lưu đã xóa", "Stored file erased"),
	Unknown:          certcopy.Msg("Không có trong sổ", "Not in the register"),
	StatusNotChecked: certcopy.Msg("Chưa tra sổ", "Not checked"),

	validation.Trusted:      certcopy.Msg("Tin cậy", "Trusted"),
	validation.Untrusted:    certcopy.Msg("Không tin cậy", "Untrusted"),
	validation.Undetermined: certcopy.Msg("Chưa xác định", "Undetermined"),

	validation.TotalPassed:   certcopy.Msg("Đạt", "Passed"),
	validation.Indeterminate: certcopy.Msg("Chưa kết luận được", "Indeterminate"),
	validation.TotalFailed:   certcopy.Msg("Không đạt", "Failed"),
	validation.NoSignature:   certcopy.Msg("Không có chữ ký", "No signature"),

	validation.TimeFromTimestamp: certcopy.Msg("theo dấu thời gian", "proven by a time-stamp"),
	validation.TimeClaimed:       certcopy.Msg("tự khai, chưa chứng minh", "claimed, not proven"),
	validation.TimeNone:          certcopy.Msg("không rõ", "unknown"),

	validation.ChangesNone:       certcopy.Msg("Không có thay đổi nào sau chữ ký", "Nothing was changed after it"),
	validation.ChangesAllowed:    certcopy.Msg("Chỉ có thay đổi được phép", "Only allowed changes"),
	validation.ChangesDisallowed: certcopy.Msg("Có thay đổi KHÔNG được phép", "Changes that are NOT allowed"),

	validation.KindSignature:    certcopy.Msg("Chữ ký", "Signature"),
	validation.KindDocTimestamp: certcopy.Msg("Dấu thời gian", "Time-stamp"),

	validation.Passed:  certcopy.Msg("Đạt", "Passed"),
	validation.Failed:  certcopy.Msg("Không đạt", "Failed"),
	validation.NotDone: certcopy.Msg("Chưa kiểm tra", "Not done"),
}

// Together puts checks that say the same of different clauses into one, for people; programs
// get each.
func Together(checks []validation.Check) []validation.Check {
	var out []validation.Check
	for _, c := range checks {
		i := slices.IndexFunc(out, func(o validation.Check) bool { return o.VI == c.VI && o.Result == c.Result })
		if i < 0 {
			out = append(out, c)
		} else if !strings.Contains(out[i].Clause, c.Clause) {
			out[i].Clause += ", " + c.Clause
		}
	}
	return out
}
