package picture

import (
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
)

// Words says what a step changed to the eye.
func (s Step) Words() certcopy.Message {
	switch {
	case s.Total == 0:
		return certcopy.Msg("Không so sánh được hình ảnh của trang nào.", "No page could be compared by its picture.")
	case s.Differ == 0 && s.Compared < s.Total:
		return certcopy.Msg(fmt.Sprintf("%d trang đầu (trên %d) trông giống hệt trước và sau.", s.Compared, s.Total),
			fmt.Sprintf("The first %d pages (of %d) look the same before and after.", s.Compared, s.Total))
	case s.Differ == 0:
		return certcopy.Msg(fmt.Sprintf("Cả %d trang trông giống hệt trước và sau.", s.Total), fmt.Sprintf("All %d pages look the same before and after.", s.Total))
	case s.Differ > len(s.Changes):
		return certcopy.Msg(fmt.Sprintf("%d trang trông khác trước; dưới đây là %d trang đầu trong số đó, chỗ khác được đóng khung đỏ.", s.Differ, len(s.Changes)),
			fmt.Sprintf("%d pages look different; the first %d of them follow, differences framed in red.", s.Differ, len(s.Changes)))
	}
	return certcopy.Msg(fmt.Sprintf("%d trang trông khác trước; chỗ khác được đóng khung đỏ.", s.Differ), fmt.Sprintf("%d page(s) look different; differences framed in red.", s.Differ))
}
