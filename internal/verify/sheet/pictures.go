package sheet

import (
	"fmt"
	"strconv"

	"github.com/saoy/saoy/internal/stamp/typeface"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
)

// Measures of pictures, in points.
const (
	pictureGap = 10.0
	perRow     = 5   // thumbnails
	maxPicture = 330 // height of a page before or after
)

// changes shows what each addition changed to the eye.
func (s *sheet) changes() {
	if len(s.look.Steps) == 0 {
		return
	}
	s.heading("Trước và sau", "Before and after", 300)
	for _, step := range s.look.Steps {
		s.step(step)
	}
	if s.look.Incomplete {
		s.text("P", style{typeface.Italic, 10, yellow}, "Không vẽ được hết các trang (quá giới hạn hoặc tệp hỏng). / Not all pages could be drawn (a limit, or damage).")
	}
	s.text("P", style{typeface.Italic, 9, grey}, "Hình chỉ để người xem đối chiếu; kết luận dựa trên việc so sánh từng đối tượng trong tệp. / Pictures are for the eye; the verdict compares the objects of the file.")
}

func (s *sheet) step(step picture.Step) {
	title, colour := "Sau chữ ký / after “"+step.Field+"”", black
	if step.Class != "" {
		w := verify.Word(step.Class)
		title, colour = title+": "+w.VI+" / "+w.EN, verdictColour(step.Class)
	}
	s.need(60)
	s.text("H3", style{typeface.Bold, 11, colour}, title)
	s.text("P", style{typeface.Regular, 10, black}, step.Words().VI)
	s.text("P", style{typeface.Italic, 9, grey}, step.Words().EN)
	for _, c := range step.Changes {
		s.change(c)
	}
	s.gap(4)
}

// change sets a page before and after, side by side.
func (s *sheet) change(c picture.Change) {
	width := (s.right - s.left - pictureGap) / 2
	height := max(fitted(c.Before, width), fitted(c.After, width))
	s.need(height + 40)
	s.gap(4)
	top := s.y
	s.side(c.Before, s.left, width, fmt.Sprintf("Trang %d: TRƯỚC (như khi ký) / before", c.Number), fmt.Sprintf("Trang %d của tệp được kiểm tra, như khi ký", c.Number))
	s.y = top
	s.side(c.After, s.left+width+pictureGap, width, fmt.Sprintf("Trang %d: SAU / after", c.Number), fmt.Sprintf("Trang %d của tệp được kiểm tra, sau khi thay đổi; %d chỗ khác được đóng khung", c.Number, len(c.Areas)))
	s.y = top - height - 20
}

// side sets one picture under its caption, or says that there is none.
func (s *sheet) side(p picture.Picture, x, width float64, caption, alt string) {
	left, right := s.left, s.right
	s.left, s.right = x, x+width
	s.text("P", style{typeface.Regular, 9, black}, caption)
	if p.Exists() {
		s.gap(3)
		s.examined(p, x, width, maxPicture, alt)
	} else {
		s.text("P", style{typeface.Italic, 10, grey}, "(không có trang này / no such page)")
	}
	s.left, s.right = left, right
}

// examined draws a page of the examined file with a thin frame and the mark across it.
func (s *sheet) examined(p picture.Picture, x, width, most float64, alt string) {
	height := width * float64(p.Height) / float64(p.Width)
	if height > most {
		width, height = width*most/height, most
	}
	s.page.Fill(grey, x-0.5, s.y-height-0.5, width+1, height+1)
	s.page.Picture(p.JPEG, p.Width, p.Height, alt, x, s.y-height, width, height)
	s.page.Across(s.shape(style{typeface.Bold, 10, red}, mark), x, s.y-height, width, height)
}

// fitted is the height that a picture takes in a column.
func fitted(p picture.Picture, width float64) float64 {
	if !p.Exists() {
		return 20
	}
	return min(maxPicture, width*float64(p.Height)/float64(p.Width))
}

// pages shows the first pages of the file as they are now.
func (s *sheet) pages() {
	if len(s.look.Thumbnails) == 0 {
		return
	}
	s.heading("Các trang của tệp được kiểm tra", "Pages of the examined file", 150)
	width := (s.right - s.left - (perRow-1)*pictureGap) / perRow
	for i := 0; i < len(s.look.Thumbnails); i += perRow {
		row := s.look.Thumbnails[i:min(i+perRow, len(s.look.Thumbnails))]
		height := 0.0
		for _, p := range row {
			height = max(height, min(1.5*width, width*float64(p.Height)/float64(p.Width)))
		}
		s.need(height + 8)
		for j, p := range row {
			s.examined(p, s.left+float64(j)*(width+pictureGap), width, 1.5*width, fmt.Sprintf("Trang %d của tệp được kiểm tra", p.Number))
		}
		s.y -= height + 8
	}
	if n := len(s.look.Thumbnails); s.look.Pages > n {
		s.text("P", style{typeface.Italic, 9, grey}, strconv.Itoa(n)+" trang đầu trên / first pages of "+strconv.Itoa(s.look.Pages))
	}
}
