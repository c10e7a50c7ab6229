package verify

import (
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// because says under what a file was erased.
var because = map[storage.ErasureReason]certcopy.Message{
	storage.ErasedByRequest:   certcopy.Msg("theo yêu cầu của người có dữ liệu cá nhân", "at the request of the person whose data it is"),
	storage.ErasedByRetention: certcopy.Msg("vì hết thời hạn lưu trữ", "because its retention period had ended"),
	storage.ErasedByOrder:     certcopy.Msg("theo quyết định của cơ quan có thẩm quyền", "by order of an authority"),
}

// erasedOn says when and under what the stored file of a copy was erased.
func erasedOn(c storage.PublicCopy) certcopy.Message {
	day, why := c.ErasedAt.In(certcopy.Vietnam), because[c.ErasureReason]
	if why == (certcopy.Message{}) {
		return sayErased
	}
	return certcopy.Msg(
		"Bản sao này đã được cấp; tệp lưu tại cơ quan đã được xóa ngày "+day.Format("02/01/2006")+" "+why.VI+", văn bản số "+c.ErasureDecision+
			". Bản sao đã phát hành không mất giá trị; tệp do người nhận giữ vẫn kiểm tra được.",
		"This copy was issued; the agency's stored file was erased on "+day.Format(time.DateOnly)+" "+why.EN+", document no. "+c.ErasureDecision+
			". The issued copy does not lose its value; a file that a receiver holds can still be checked.")
}
