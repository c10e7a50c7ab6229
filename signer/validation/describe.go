package validation

import "strings"

// places says in words what lies on a way through the document; the first that fits wins.
var places = []struct {
	step string
	what both
}{
	{"/Font/", both{"phông chữ bị thay (%s)", "a font was replaced (%s)"}},
	{"/OCProperties", both{"lớp ẩn/hiện bị đổi (%s)", "optional-content layers were changed (%s)"}},
	{"/XObject/", both{"hình ảnh hoặc mẫu trên trang bị thay (%s)", "an image or form on a page was replaced (%s)"}},
	{"/AP", both{"hình thức hiển thị bị thay (%s)", "an appearance was replaced (%s)"}},
	{"/Resources", both{"tài nguyên của trang bị thay (%s)", "the resources of a page were replaced (%s)"}},
	{"/Contents", both{"nội dung trang bị thay (%s)", "the content of a page was replaced (%s)"}},
	{"/Annots", both{"chú thích bị thêm, bớt hoặc sửa (%s)", "annotations were added, removed or altered (%s)"}},
	{"/Pages", both{"trang bị thêm, bớt hoặc sửa (%s)", "pages were added, removed or altered (%s)"}},
	{"/AcroForm", both{"biểu mẫu bị sửa (%s)", "the form was altered (%s)"}},
	{"/Perms", both{"quyền của tài liệu bị sửa (%s)", "the permissions of the document were altered (%s)"}},
	{"/OpenAction", both{"thao tác tự động bị thêm hoặc sửa (%s)", "an automatic action was added or altered (%s)"}},
	{"/AA", both{"thao tác tự động bị thêm hoặc sửa (%s)", "an automatic action was added or altered (%s)"}},
	{"/Names", both{"tệp đính kèm, mã lệnh hoặc tên bị sửa (%s)", "attachments, scripts or names were altered (%s)"}},
}

var elsewhere = both{"cấu trúc tài liệu bị sửa (%s)", "the structure of the document was altered (%s)"}

// describe says what lies at the end of a way.
func describe(way string) both {
	for _, p := range places {
		if strings.Contains(way+"/", p.step) {
			return p.what.with(way)
		}
	}
	return elsewhere.with(way)
}

// with puts the same value in both languages.
func (b both) with(arg string) both {
	return both{strings.Replace(b.vi, "%s", arg, 1), strings.Replace(b.en, "%s", arg, 1)}
}
