package intake

import "strings"

// kind is a file format as a browser's file picker knows it.
type kind struct{ name, accept string }

// kinds are the formats that this build reads.
func kinds() []kind {
	all := []kind{
		{"JPEG", "image/jpeg,.jpg,.jpeg"},
		{"PNG", "image/png,.png"},
		{"TIFF", "image/tiff,.tif,.tiff"},
		{"WebP", "image/webp,.webp"},
		{"PDF", "application/pdf,.pdf"},
	}
	if readsHEIC {
		all = append(all, kind{"HEIC", "image/heic,image/heif,.heic,.heif"})
	}
	return all
}

// Accept lists the media types and file name endings that this build reads, for the accept
// attribute of a file input. What a file is, its first bytes decide.
func Accept() string {
	var list []string
	for _, k := range kinds() {
		list = append(list, k.accept)
	}
	return strings.Join(list, ",")
}

// Names lists the formats for people: "JPEG, PNG, TIFF, WebP, PDF".
func Names() string { return names(func(kind) bool { return true }) }

func imageNames() string { return names(func(k kind) bool { return k.name != "PDF" }) }

func names(with func(kind) bool) string {
	var list []string
	for _, k := range kinds() {
		if with(k) {
			list = append(list, k.name)
		}
	}
	return strings.Join(list, ", ")
}
