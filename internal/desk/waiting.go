package desk

import (
	"fmt"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Waiting is how long an agency's copies will wait to be finished.
type Waiting struct {
	Mine  int // copies of the agency on their way
	Ahead int // copies that will be finished until the last of them is, of all agencies in turn
	Total int // copies on their way, of all agencies
	// PerMinute is how many were finished lately; 0: none, so nothing can be estimated.
	PerMinute float64
}

// Estimate returns how long until the last copy of the agency is finished; 0 if it cannot be
// said, or none is waiting.
func (w Waiting) Estimate() time.Duration {
	if w.PerMinute <= 0 || w.Mine == 0 {
		return 0
	}
	return time.Duration(float64(w.Ahead) / w.PerMinute * float64(time.Minute))
}

// Says puts the wait into words; the zero Message if none is waiting.
func (w Waiting) Says() certcopy.Message {
	switch wait := w.Estimate(); {
	case w.Mine == 0:
		return certcopy.Message{}
	case wait == 0:
		return certcopy.Msg(fmt.Sprintf("Đang xử lý %d bản sao của cơ quan; chưa ước được thời gian.", w.Mine),
			fmt.Sprintf("%d copies of the agency are being worked on; how long cannot be said yet.", w.Mine))
	case wait < time.Minute:
		return certcopy.Msg(fmt.Sprintf("Đang xử lý %d bản sao của cơ quan; xong trong vòng một phút.", w.Mine),
			fmt.Sprintf("%d copies of the agency are being worked on; done within a minute.", w.Mine))
	default:
		minutes := int((wait + time.Minute - 1) / time.Minute)
		return certcopy.Msg(fmt.Sprintf("Đang xử lý %d bản sao của cơ quan; khoảng %d phút nữa xong.", w.Mine, minutes),
			fmt.Sprintf("%d copies of the agency are being worked on; done in about %d minutes.", w.Mine, minutes))
	}
}
