// Package retention destroys what may no longer be kept: a copy's file, its key and its
// private facts, by request, by order or by the agency's policy. Number, digest and leaves
// stay for ever, and a leaf of its own says that the copy was erased.
//
// Every erasure is first written create-once to a locked list among the public objects, then
// done in the ledger, which destroys the file's key at once; the objects follow when their
// locks end. The list outlives the database: a backup that still holds the key is put right
// by Replay before anybody can read it.
package retention

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// Eraser destroys. Its ledger works under the retention role; it holds no key and cannot sign.
type Eraser struct {
	Ledger  storage.Retention
	Vault   storage.Blobs
	Scratch storage.Blobs
	Public  storage.Blobs // holds the locked list
	Now     func() time.Time
}

// vaultPlace is where the final files of a copy lie, below which its identifier follows.
const vaultPlace = "copies"

// ScratchPlaces are where a copy leaves files on its way, below which its identifier follows.
var scratchPlaces = [...]string{"scans", "clean", "stamped", "signed", "sealed", "probe"}

// maxDecisionRunes bounds the number of a decision.
const maxDecisionRunes = 100

// Erase destroys a copy's file and private facts. By is who entered it; empty for the policy.
// Erasing a copy that was erased is Conflict, and says when and by what decision.
func (e *Eraser) Erase(ctx context.Context, want storage.Erasure) (storage.Erasure, error) {
	if err := check(want); err != nil {
		return storage.Erasure{}, err
	}
	c, err := e.Ledger.Copy(ctx, want.Copy)
	if err != nil {
		return storage.Erasure{}, err
	}
	if done, err := e.Ledger.Erasure(ctx, c.ID); err == nil {
		return done, alreadyErased(done)
	} else if !errors.Is(err, storage.ErrNotFound) {
		return storage.Erasure{}, err
	}
	if !c.State.Final() && c.State != certcopy.Released {
		return storage.Erasure{}, certcopy.Errorf(certcopy.Conflict, string(c.ID), nil, certcopy.Msg(
			"Bản sao đang ở trạng thái “"+string(c.State)+"”, chưa xóa được. Hãy để bản sao hoàn tất, hoặc rút, từ chối, hủy số trước rồi xóa.",
			"The copy is "+string(c.State)+" and cannot be erased yet. Let it be finished, or withdraw, refuse or void it first, then erase."))
	}
	want.At = e.Now().UTC()
	if want, err = e.enlist(ctx, want); err != nil {
		return storage.Erasure{}, fmt.Errorf("list of erasures: %w", err)
	}
	return e.carryOut(ctx, c, want)
}

func check(want storage.Erasure) error {
	switch want.Reason {
	case storage.ErasedByRequest, storage.ErasedByRetention, storage.ErasedByOrder:
	default:
		return certcopy.Errorf(certcopy.Invalid, "reason", nil, certcopy.Msg(
			"Lý do xóa phải là request (theo yêu cầu), retention (hết thời hạn lưu) hoặc order (theo quyết định của cơ quan có thẩm quyền).",
			"The reason must be request, retention or order."))
	}
	d := want.Decision
	if d == "" || d != strings.TrimSpace(d) || !utf8.ValidString(d) || utf8.RuneCountInString(d) > maxDecisionRunes || strings.ContainsAny(d, "\r\n\t") {
		return certcopy.Errorf(certcopy.Invalid, "decision", nil, certcopy.Msg(
			"Thiếu số văn bản làm căn cứ xóa, hoặc số quá dài (tối đa 100 ký tự, một dòng).",
			"The number of the decision is missing, or too long (100 characters, one line)."))
	}
	return nil
}

func alreadyErased(done storage.Erasure) error {
	day := done.At.In(certcopy.Vietnam)
	return certcopy.Errorf(certcopy.Conflict, string(done.Copy), storage.ErrExists, certcopy.Msg(
		"Tệp của bản sao này đã được xóa ngày "+day.Format("02/01/2006")+" theo "+done.Decision+".",
		"The file of this copy was erased on "+day.Format(time.DateOnly)+" under "+done.Decision+"."))
}

// carryOut does what is on the list: the ledger first, which destroys the key; then the
// objects that no lock holds.
func (e *Eraser) carryOut(ctx context.Context, c certcopy.Copy, want storage.Erasure) (storage.Erasure, error) {
	maker, err := leafFor(c, want)
	if err != nil {
		return want, err
	}
	done, err := e.Ledger.Erase(ctx, want, objectsOf(c.ID), maker)
	if errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrOutcomeUnknown) {
		read, there := e.Ledger.Erasure(ctx, c.ID)
		if there != nil {
			return want, errors.Join(err, there)
		}
		done, err = read, nil
	}
	if err != nil {
		return want, err
	}
	_, err = e.sweep(ctx, c.ID)
	return done, err
}

// leafFor returns the maker of the erase leaf; nil for a copy that never had a number, of
// which the log knows nothing.
func leafFor(c certcopy.Copy, want storage.Erasure) (storage.LeafMaker, error) {
	if c.Number.IsZero() {
		return nil, nil
	}
	leaf, err := register.OfCopy(c, storage.LeafErase)
	leaf.Reason = string(want.Reason)
	return leaf.Maker(), err
}

func objectsOf(id certcopy.CopyID) []storage.DoomedObject {
	objects := []storage.DoomedObject{{Store: "vault", Key: vaultPlace + "/" + string(id) + "/", Copy: id}}
	for _, place := range scratchPlaces {
		objects = append(objects, storage.DoomedObject{Store: "scratch", Key: place + "/" + string(id) + "/", Copy: id})
	}
	return objects
}
