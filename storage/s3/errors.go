package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Codes of S3 errors (API reference, "Error responses").
const (
	noSuchBucket  = "NoSuchBucket"
	noSuchKey     = "NoSuchKey"
	noSuchVersion = "NoSuchVersion"
)

// throttled are the codes by which a store says that it has not begun.
var throttled = []string{"SlowDown", "SlowDownWrite", "SlowDownRead", "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestThrottled", "TooManyRequests"}

// corrupted are the codes for bytes that did not arrive as they were sent.
var corrupted = []string{"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "InvalidChecksum", "IncompleteBody", "RequestTimeout"}

// answer is what the store, or a machine in front of it, said.
type answer struct{ minio.ErrorResponse }

// response returns the answer, if there was any.
func response(err error) (answer, bool) {
	var r minio.ErrorResponse
	return answer{r}, errors.As(err, &r) && r.StatusCode != 0
}

// inFull tells an answer with an error document from a bare status, to which the driver adds
// the code it thinks likely.
func (r answer) inFull() bool { return r.XMLName.Local == "Error" }

// refused: the store does not let these keys do it.
func (r answer) refused() bool {
	return r.StatusCode == http.StatusForbidden || r.StatusCode == http.StatusUnauthorized ||
		r.Code == "XAdminUserNotFound" // versitygw of an unknown key, with 404
}

// locked: the store refuses because of object lock. The code is the one for lack of
// permission; only the text tells.
func (r answer) locked() bool {
	text := strings.ToLower(r.Message)
	return r.StatusCode >= 400 && r.StatusCode < 500 && (strings.Contains(text, "object lock") || strings.Contains(text, "worm"))
}

// absentConfiguration: the bucket was never configured so.
func absentConfiguration(err error) bool {
	r, _ := response(err)
	return r.Code == "ObjectLockConfigurationNotFoundError" || r.Code == "NoSuchObjectLockConfiguration"
}

// readFailed turns the error of a request that changes nothing into one of package storage.
func (s *Store) readFailed(ctx context.Context, err error) error {
	r, answered := response(err)
	switch {
	case !answered:
		return unavailable(ctx, err)
	case r.Code == noSuchBucket:
		return noBucket(s.bucket)
	case r.Code == noSuchKey, r.Code == noSuchVersion, r.StatusCode == http.StatusMethodNotAllowed: // 405: a delete marker
		return storage.ErrNotFound
	case r.refused():
		return denied(r)
	}
	return fmt.Errorf("%w: %d %s: %w", storage.ErrUnavailable, r.StatusCode, r.Code, err)
}

// writeFailed does the same for one that changes something. arrived: the store may have all
// of it.
func (s *Store) writeFailed(ctx context.Context, err error, arrived bool) error {
	r, answered := response(err)
	switch {
	case !arrived && !answered:
		return unavailable(ctx, err)
	case !answered:
		return fmt.Errorf("%w: %w", storage.ErrOutcomeUnknown, err)
	case r.Code == noSuchBucket:
		return noBucket(s.bucket)
	case r.refused():
		return denied(r)
	case !arrived, slices.Contains(throttled, r.Code), slices.Contains(corrupted, r.Code):
		return fmt.Errorf("%w: %d %s: %w", storage.ErrUnavailable, r.StatusCode, r.Code, err)
	case r.StatusCode < http.StatusInternalServerError && r.inFull():
		return fmt.Errorf("refused: %d %s: %w", r.StatusCode, r.Code, err)
	}
	// A gateway may say this after the store behind it has written.
	return fmt.Errorf("%w: %d %s: %w", storage.ErrOutcomeUnknown, r.StatusCode, r.Code, err)
}

func unavailable(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%w: %w", storage.ErrUnavailable, ended)
	}
	return fmt.Errorf("%w: %w", storage.ErrUnavailable, err)
}

func noBucket(bucket string) error {
	return certcopy.Errorf(certcopy.Unavailable, "s3 bucket "+bucket, fmt.Errorf("%w: no such bucket", storage.ErrUnavailable), certcopy.Msg(
		"Không có bucket này trong kho S3. Hãy kiểm tra tên bucket, hoặc tạo bucket có bật versioning và object lock.",
		"The S3 store has no such bucket. Check its name, or make it with versioning and object lock enabled."))
}

func denied(r answer) error {
	cause := fmt.Errorf("%w: %d %s", storage.ErrUnavailable, r.StatusCode, r.Code)
	if r.Code == "RequestTimeTooSkewed" {
		return certcopy.Errorf(certcopy.Unavailable, "s3", cause, certcopy.Msg(
			"Đồng hồ của máy này và của kho S3 lệch nhau quá nhiều. Hãy đồng bộ thời gian (NTP).",
			"The clocks of this machine and of the S3 store are too far apart. Synchronise them (NTP)."))
	}
	return certcopy.Errorf(certcopy.Unavailable, "s3", cause, certcopy.Msg(
		"Kho S3 từ chối khóa truy cập này. Hãy kiểm tra tệp khóa và quyền của nó; không cần khởi động lại chương trình.",
		"The S3 store refuses these access keys. Check the credentials file and their permissions; no restart is needed."))
}
