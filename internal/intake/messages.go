package intake

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
)

// refuse makes the error a person sees for one file. cause may be nil.
func refuse(name string, cause error, vi, en string) error {
	return certcopy.Errorf(certcopy.Invalid, name, cause, certcopy.Msg(vi, en))
}

func errEmpty(name string) error {
	return refuse(name, nil, "Tệp trống (0 byte). Hãy quét hoặc tải lên lại.",
		"The file is empty (0 bytes). Scan or upload it again.")
}

func errTooLarge(name string, size int64) error {
	return refuse(name, nil,
		fmt.Sprintf("Tệp lớn %d MiB, giới hạn là %d MiB. Hãy quét lại ở 200–300 dpi hoặc tách thành nhiều tệp.", size>>20, certcopy.MaxUploadBytes>>20),
		fmt.Sprintf("The file has %d MiB; the limit is %d MiB. Scan again at 200–300 dpi or split it into several files.", size>>20, certcopy.MaxUploadBytes>>20))
}

func errKind(name string) error {
	return refuse(name, nil,
		"Tệp không phải là ảnh ("+imageNames()+") hay PDF, dù tên là gì. Hãy quét bản chính thành một trong các định dạng đó.",
		"The file is not an image ("+imageNames()+") or a PDF, whatever its name. Scan the original to one of these formats.")
}

// errHEIC refuses what an iPhone takes by default, where no decoder is built in.
func errHEIC(name string) error {
	return refuse(name, nil,
		"Tệp là ảnh HEIC của điện thoại, chương trình này không đọc được. Hãy gửi lại dưới dạng JPEG: trên iPhone mở Cài đặt › Camera › Định dạng › Tương thích nhất rồi chụp lại, hoặc xuất ảnh sang JPEG; tốt nhất là quét bản chính.",
		"The file is a phone's HEIC picture, which this program cannot read. Send it as JPEG: on an iPhone choose Settings › Camera › Formats › Most Compatible and take it again, or export the picture as JPEG; best, scan the original.")
}

func errDamaged(name string, cause error) error {
	return refuse(name, cause, "Tệp bị hỏng hoặc không đúng định dạng nên không đọc được. Hãy quét hoặc xuất lại tệp này.",
		"The file is damaged or not what its format says, and cannot be read. Scan or export it again.")
}

func errTruncated(name string, cause error) error {
	return refuse(name, cause, "Tệp bị cắt cụt, thiếu phần cuối của ảnh. Hãy quét hoặc tải lên lại tệp này.",
		"The file is cut off; the end of the image is missing. Scan or upload it again.")
}

func errPixels(name string, w, h int64) error {
	return refuse(name, nil,
		fmt.Sprintf("Ảnh có %d × %d điểm, quá giới hạn %d triệu điểm. Hãy quét lại ở 200–300 dpi.", w, h, certcopy.MaxImagePixels/1_000_000),
		fmt.Sprintf("The image has %d × %d pixels, more than the limit of %d million. Scan again at 200–300 dpi.", w, h, certcopy.MaxImagePixels/1_000_000))
}

func errPages(name string, n int) error {
	return refuse(name, nil,
		fmt.Sprintf("Tệp có %d trang, mỗi bản sao có nhiều nhất %d trang. Hãy tách bản chính thành nhiều bản sao.", n, certcopy.MaxPages),
		fmt.Sprintf("The file has %d pages; a copy holds at most %d. Split the original into several copies.", n, certcopy.MaxPages))
}

func errNoPages(name string) error {
	return refuse(name, nil, "Tệp không có trang nào. Hãy quét lại bản chính.", "The file has no pages. Scan the original again.")
}

func errUnsupported(name, what string) error {
	return refuse(name, nil,
		fmt.Sprintf("Tệp dùng kiểu ảnh chưa đọc được (%s). Hãy quét hoặc xuất lại thành JPEG, PNG hoặc PDF.", what),
		fmt.Sprintf("The file uses a kind of image that cannot be read (%s). Scan or export it again as JPEG, PNG or PDF.", what))
}

func errEncrypted(name string) error {
	return refuse(name, nil, "Tệp PDF có mật khẩu hoặc bị mã hoá. Hãy quét bản chính giấy, hoặc xuất lại PDF không có mật khẩu.",
		"The PDF is encrypted or has a password. Scan the paper original, or export the PDF again without a password.")
}

func errSigned(name string) error {
	return refuse(name, nil,
		"Tệp PDF đã có chữ ký số: đây là bản gốc điện tử, không phải bản quét của bản chính giấy. Thủ tục chứng thực bản sao điện tử từ bản chính chỉ áp dụng cho bản chính giấy; hãy dùng trực tiếp tệp đã ký, hoặc quét bản giấy.",
		"The PDF already carries a digital signature: it is an electronic original, not a scan of a paper one. This procedure certifies copies of paper originals only; use the signed file itself, or scan the paper.")
}

func errTooMuch(name string, cause error) error {
	return refuse(name, cause,
		"Tệp đòi hỏi quá nhiều thời gian hoặc bộ nhớ để đọc nên đã dừng lại. Hãy quét lại bản chính ở 200–300 dpi.",
		"Reading the file needed too much time or memory and was stopped. Scan the original again at 200–300 dpi.")
}

func errCopySize(size int64) error {
	return refuse("", nil,
		fmt.Sprintf("Các trang gộp lại lớn %d MiB, mỗi bản sao nhiều nhất %d MiB. Hãy quét lại ở 200 dpi hoặc tách thành nhiều bản sao.", size>>20, certcopy.MaxCopyBytes>>20),
		fmt.Sprintf("The pages together have %d MiB; a copy holds at most %d MiB. Scan again at 200 dpi or split into several copies.", size>>20, certcopy.MaxCopyBytes>>20))
}

func decimal(n int) string { return strconv.Itoa(n) }

// WarningCode names a warning for programs.
type WarningCode string

// The warnings of a page.
const (
	LowResolution WarningCode = "low_resolution" // below 200 dpi on the paper
	BlankPage     WarningCode = "blank_page"
	DuplicatePage WarningCode = "duplicate_page" // shows what an earlier page shows; see Duplicates
	Converted     WarningCode = "converted"      // colours were converted to sRGB, samples encoded anew
	Askew         WarningCode = "askew"          // lies askew, or shows what lies around the paper
	Cleaned       WarningCode = "cleaned"        // the PDF held active content, which is gone
)

// Warning is what the clerk should look at before submitting; it refuses nothing.
type Warning struct {
	Code    WarningCode
	Message certcopy.Message
}

func warnLowResolution(dpi float64) Warning {
	return Warning{LowResolution, certcopy.Msg(
		fmt.Sprintf("Trang chỉ đạt khoảng %.0f dpi trên giấy, quy định tối thiểu là 200 dpi. Hãy quét lại; nếu không thể, người chứng thực phải ghi lý do.", dpi),
		fmt.Sprintf("The page has only about %.0f dpi on the paper; at least 200 dpi is required. Scan it again; if that is impossible, the certifier must record why.", dpi))}
}

func warnBlank() Warning {
	return Warning{BlankPage, certcopy.Msg("Trang có vẻ trống. Hãy kiểm tra xem có quét nhầm mặt giấy không.",
		"The page seems to be blank. Check that the right side of the paper was scanned.")}
}

func warnAskew(f Frame) Warning {
	angle := strings.ReplaceAll(fmt.Sprintf("%.1f", math.Abs(float64(f.Tilt))/100), ".", ",")
	around := f.Left+f.Top+f.Right+f.Bottom > 0
	switch {
	case f.Tilt != 0 && around:
		return Warning{Askew, certcopy.Msg("Trang nghiêng khoảng "+angle+"° và thấy cả phần ngoài tờ giấy. Có thể nắn thẳng và cắt viền.",
			"The page lies askew by about "+strings.ReplaceAll(angle, ",", ".")+"° and shows more than the paper. It can be straightened and cropped.")}
	case around:
		return Warning{Askew, certcopy.Msg("Ảnh thấy cả phần ngoài tờ giấy. Có thể cắt viền.", "The picture shows more than the paper. It can be cropped.")}
	}
	return Warning{Askew, certcopy.Msg("Trang nghiêng khoảng "+angle+"°. Có thể nắn thẳng.", "The page lies askew by about "+strings.ReplaceAll(angle, ",", ".")+"°. It can be straightened.")}
}

func warnConverted() Warning {
	return Warning{Converted, certcopy.Msg("Màu của ảnh đã được chuyển sang sRGB. Hãy so trang này với bản chính.",
		"The colours of the image were converted to sRGB. Compare this page with the original.")}
}

func warnCleaned() Warning {
	return Warning{Cleaned, certcopy.Msg("PDF có nội dung động (mã lệnh, tệp đính kèm, biểu mẫu hoặc liên kết); các nội dung đó đã bị loại bỏ, chỉ giữ hình ảnh trang.",
		"The PDF held active content (scripts, attachments, forms or links); it was removed and only the picture of the pages is kept.")}
}
