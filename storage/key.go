package storage

import (
	"fmt"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
)

// Limits of keys, in bytes.
const (
	MaxKeyBytes     = 512
	MaxSegmentBytes = 200
)

// CheckKey refuses what is not a key of Blobs, as certcopy.Invalid. Every implementation asks
// it first, so that no key can mean a path outside its store.
func CheckKey(key string) error {
	if len(key) == 0 || len(key) > MaxKeyBytes {
		return badKey(key, fmt.Errorf("%d bytes", len(key)))
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." || len(segment) > MaxSegmentBytes {
			return badKey(key, fmt.Errorf("segment %q", segment))
		}
		if i := strings.IndexFunc(segment, notOfKey); i >= 0 {
			return badKey(key, fmt.Errorf("byte %#x", segment[i]))
		}
	}
	return nil
}

func notOfKey(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
}

func badKey(key string, err error) error {
	return certcopy.Errorf(certcopy.Invalid, fmt.Sprintf("key %.40q", key), err, certcopy.Msg(
		"Khóa của đối tượng lưu trữ không hợp lệ. Đây là lỗi của chương trình; hãy báo quản trị viên.",
		"The key of the stored object is not valid. This is a defect of the program; tell the administrator."))
}
