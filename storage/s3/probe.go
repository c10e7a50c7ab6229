package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Property is one thing the product relies on, and whether this store has it.
type Property struct {
	Name string `json:"property"`
	certcopy.Message
	Holds bool `json:"holds"`
	// Detail is what was seen: the evidence, or what went wrong.
	Detail string `json:"detail"`
}

// prober is one run of the probes. Its objects lie below a prefix of its own.
type prober struct {
	*Store
	config Config
	hold   time.Duration
	lock   time.Time // end of the lock of the probe "locked"; zero if it could not be made
}

// probe is one property and how it is tried. What it returns in the first place is evidence.
type probe struct {
	name    string
	vi, en  string
	try     func(*prober, context.Context) (string, error)
	needs   bool // nothing more can be learned without it
	ofVault bool // a scratch store needs no locks
}

var probes = []probe{
	{"reach", "Kho trả lời, khóa truy cập được chấp nhận, bucket có thật", "The store answers, accepts the keys, and has the bucket", (*prober).reach, true, false},
	{"keys", "Khóa truy cập sai bị từ chối", "Wrong keys are refused", (*prober).wrongKeys, false, false},
	{"clock", "Đồng hồ của kho và của máy này lệch nhau không quá 60 giây", "The clocks of the store and of this machine are within 60 s", (*prober).clock, false, false},
	{"versioning", "Bucket giữ mọi phiên bản (versioning)", "The bucket keeps all versions", (*prober).versioning, false, true},
	{"object lock", "Bucket có bật khóa đối tượng (object lock)", "The bucket has object lock", (*prober).objectLock, false, true},
	{"absent", "Hỏi đối tượng không có thì kho trả lời là không có", "An absent object is said to be absent", (*prober).missing, false, false},
	{"round trip", "Ghi rồi đọc lại đúng từng byte, kèm mã kiểm của kho", "What is written is read back, with the store's own checksum", (*prober).roundTrip, true, false},
	{"create once", "20 tiến trình cùng tạo một đối tượng: đúng một bên thắng", "Of 20 writers of one object exactly one wins", (*prober).race, false, false},
	{"checksum", "Mã kiểm sai hoặc nội dung bị đổi trên đường bị từ chối, không để lại gì", "A wrong checksum and bytes changed on the way are refused and leave nothing", (*prober).checksums, false, false},
	{"whole or nothing", "Tải lên bị đứt giữa chừng không để lại gì", "An upload cut in the middle leaves nothing", (*prober).cutUpload, false, false},
	{"order", "Danh sách đúng thứ tự khóa", "Listings are in the order of keys", (*prober).order, false, false},
	{"delete", "Xóa là mất hẳn, không còn phiên bản nào", "What is deleted is gone with all its versions", (*prober).deletes, false, false},
	{"retention", "Thời hạn khóa đọc lại đúng như đã đặt, chế độ compliance", "Retention reads back as it was set, in compliance mode", (*prober).retention, false, true},
	{"refused while locked", "Trong thời hạn khóa: không xóa, không rút ngắn, không vượt quyền được", "While locked it cannot be deleted, shortened or bypassed", (*prober).lockedRefuses, false, true},
	{"marker", "Dấu xóa chỉ che, không hủy được đối tượng đang khóa", "A delete marker hides but does not destroy a locked object", (*prober).marker, false, true},
	{"legal hold", "Lệnh giữ (legal hold) ngăn xóa, và gỡ được", "A legal hold prevents deletion and can be lifted", (*prober).legalHold, false, true},
	{"released", "Hết thời hạn khóa thì xóa được", "After the lock's end it can be deleted", (*prober).released, false, true},
}

// Probe tries, one after the other, the properties of a store that the product relies on, and
// hands each to report as soon as it is known. It returns whether all hold; the error is about
// the configuration only.
//
// It writes below PREFIX/doctor-RANDOM and removes what it wrote once the lock of its test
// object has run out, which is after hold; at least 5 s. A store on which the lock does not end
// keeps some bytes there.
func Probe(ctx context.Context, c Config, hold time.Duration, report func(Property)) (bool, error) {
	if c.Prefix != "" {
		c.Prefix += "/"
	}
	c.Prefix += "doctor-" + strings.ToLower(rand.Text()[:8])
	s, err := connect(c)
	if err != nil {
		return false, err
	}
	defer s.Close()
	p := &prober{Store: s, config: c, hold: max(hold, 5*time.Second)}
	defer p.tidy(ctx)
	all := true
	for _, probe := range probes {
		if probe.ofVault && c.Scratch {
			continue
		}
		detail, err := probe.try(p, ctx)
		result := Property{probe.name, certcopy.Msg(probe.vi, probe.en), err == nil, detail}
		if err != nil {
			all, result.Detail = false, plain(err)
		}
		report(result)
		if err != nil && probe.needs {
			break
		}
	}
	return all, nil
}

// plain is an error as the operator of a store needs it: cause, not advice.
func plain(err error) string {
	var e *certcopy.Error
	if errors.As(err, &e) && e.Err != nil {
		return strings.TrimSuffix(fmt.Sprintf("%s: %v", e.Subject, e.Err), ": <nil>")
	}
	return err.Error()
}

// tidy removes what can be removed.
func (p *prober) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var names []string
	for o := range p.client.ListObjectsIter(ctx, p.bucket, minio.ListObjectsOptions{Prefix: p.prefix, Recursive: true, WithVersions: p.versioned}) {
		if key, ours := p.key(o.Key); o.Err == nil && ours {
			names = append(names, key)
		}
	}
	for _, key := range names {
		_ = p.Delete(ctx, key)
	}
}

func (p *prober) create(ctx context.Context, key, body string, till time.Time) error {
	return p.Create(ctx, key, strings.NewReader(body), int64(len(body)), certcopy.DigestOf([]byte(body)), till)
}

// refusal is nil if the store refused by itself: silence proves nothing.
func refusal(err error, what string) error {
	if err == nil {
		return errors.New(what + ": the store did it")
	}
	if r, answered := response(err); !answered || r.StatusCode >= 500 {
		return fmt.Errorf("%s: no clear answer: %w", what, err)
	}
	return nil
}

// wantAbsent is nil if there is no such object.
func (p *prober) wantAbsent(ctx context.Context, key string) error {
	_, err := p.Stat(ctx, key)
	switch {
	case err == nil:
		return fmt.Errorf("%s is there", key)
	case errors.Is(err, storage.ErrNotFound):
		return nil
	}
	return err
}
