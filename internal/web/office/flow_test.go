package office

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/storagetest"
)

// ledgerFlow is the flow over a real ledger, with scans that are taken by their names and
// pages that are drawn: what the pages of this package need, without decoders and keys.
type ledgerFlow struct {
	storage.Ledger
	images atomic.Int64 // pages drawn
}

func (f *ledgerFlow) newCopy(o certcopy.Original) (storage.NewCopy, error) {
	if strings.TrimSpace(o.Title) == "" {
		return storage.NewCopy{}, certcopy.Errorf(certcopy.Invalid, "original.title", nil, certcopy.Msg("Thiếu tên giấy tờ.", "The title is missing."))
	}
	code, err := link.NewCode(rand.Reader)
	salt := make([]byte, 32)
	return storage.NewCopy{ID: certcopy.CopyID(storagetest.UUID()), Code: code.String(), CodeHash: code.Hash(), Salt: salt, Original: o}, err
}

func (f *ledgerFlow) Receive(ctx context.Context, r certcopy.Request, originals []certcopy.Original) (certcopy.Request, bool, error) {
	r.ID = certcopy.RequestID(storagetest.UUID())
	if r.Requester.Name == "" {
		return r, false, certcopy.Errorf(certcopy.Invalid, "requester.name", nil, certcopy.Msg("Thiếu họ tên.", "The name is missing."))
	}
	var copies []storage.NewCopy
	for _, o := range originals {
		c, err := f.newCopy(o)
		if err != nil {
			return r, false, err
		}
		copies = append(copies, c)
	}
	return f.CreateRequest(ctx, r, copies)
}

func (f *ledgerFlow) AddOriginal(ctx context.Context, r certcopy.RequestID, o certcopy.Original) (certcopy.CopyID, error) {
	c, err := f.newCopy(o)
	if err != nil {
		return "", err
	}
	return c.ID, f.AddCopy(ctx, r, c)
}

func (f *ledgerFlow) EditOriginal(ctx context.Context, id certcopy.CopyID, revision int, o certcopy.Original) error {
	return f.EditCopy(ctx, id, revision, o)
}

// Upload takes every file but those called .docx; a file with "mờ" in its name is of 150 dpi.
func (f *ledgerFlow) Upload(ctx context.Context, id certcopy.CopyID, revision int, files []Upload) (UploadResult, error) {
	scans, err := f.Scans(ctx, id)
	if err != nil {
		return UploadResult{}, err
	}
	var result UploadResult
	for _, u := range files {
		b, err := io.ReadAll(u.Body)
		if err != nil {
			return result, err
		}
		if strings.HasSuffix(u.Name, ".docx") {
			result.Refused = append(result.Refused, RefusedFile{Name: u.Name, Message: certcopy.Msg("Không phải ảnh hay PDF.", "Neither an image nor a PDF.")})
			continue
		}
		scans = append(scans, certcopy.Scan{ID: certcopy.ScanID(storagetest.UUID()), Copy: id, Position: len(scans), FileName: u.Name,
			Size: int64(len(b)), Digest: certcopy.DigestOf(b), Pages: 1})
	}
	if result.Copy, err = f.keep(ctx, id, revision, scans); err != nil {
		return result, err
	}
	return result, nil
}

func (f *ledgerFlow) keep(ctx context.Context, id certcopy.CopyID, revision int, scans []certcopy.Scan) (certcopy.Copy, error) {
	clean := certcopy.CleanDocument{Size: 15 << 20}
	for i := range scans {
		scans[i].Position = i
		page := certcopy.Page{Width: 595, Height: 842, FreeBottom: 100, DPI: 300}
		if strings.Contains(scans[i].FileName, "mờ") {
			page.DPI = 150
		}
		clean.Pages = append(clean.Pages, page)
		clean.Digest = certcopy.DigestOf(append(clean.Digest[:], scans[i].Digest[:]...))
	}
	if err := f.SetScans(ctx, id, revision, scans); err != nil {
		return certcopy.Copy{}, err
	}
	c, err := f.Copy(ctx, id)
	if err != nil || len(scans) == 0 {
		return c, err
	}
	if err := f.SetClean(ctx, id, c.Revision, clean); err != nil {
		return c, err
	}
	return f.Copy(ctx, id)
}

func (f *ledgerFlow) Arrange(ctx context.Context, id certcopy.CopyID, revision int, order []certcopy.ScanID) (certcopy.Copy, error) {
	scans, err := f.Scans(ctx, id)
	if err != nil {
		return certcopy.Copy{}, err
	}
	var arranged []certcopy.Scan
	for _, want := range order {
		for _, s := range scans {
			if s.ID == want {
				arranged = append(arranged, s)
			}
		}
	}
	return f.keep(ctx, id, revision, arranged)
}

func (f *ledgerFlow) Submit(ctx context.Context, s storage.Submission) error {
	c, err := f.Copy(ctx, s.Copy)
	if err != nil {
		return err
	}
	if !s.Checked {
		return certcopy.Errorf(certcopy.Invalid, "checked", nil, certcopy.Msg("Chưa đánh dấu đã đối chiếu.", "Not ticked."))
	}
	for _, p := range c.Clean.Pages {
		if p.DPI < certcopy.MinDPI && s.LowResolutionReason == "" {
			return certcopy.Errorf(certcopy.Invalid, "low_resolution_reason", nil, certcopy.Msg("Thiếu lý do.", "The reason is missing."))
		}
	}
	s.Digest = certcopy.DigestOf(fmt.Append(nil, c.Clean.Digest, c.Original, c.Requester))
	return f.Ledger.Submit(ctx, s)
}

func (f *ledgerFlow) Seal(ctx context.Context, c storage.Confirmation) error {
	return f.ConfirmSeal(ctx, c)
}

func (f *ledgerFlow) Leave(ctx context.Context, l storage.Leaving) error {
	if l.Reason == "" {
		return certcopy.Errorf(certcopy.Invalid, "reason", nil, certcopy.Msg("Thiếu lý do.", "The reason is missing."))
	}
	return f.Ledger.Leave(ctx, l)
}

func (f *ledgerFlow) Void(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID, reason, text string) error {
	if reason == "" {
		return certcopy.Errorf(certcopy.Invalid, "reason", nil, certcopy.Msg("Thiếu lý do.", "The reason is missing."))
	}
	_, err := f.Ledger.Void(ctx, id, by, reason, text, storagetest.LeafOf(id, storage.LeafVoid))
	return err
}

func (f *ledgerFlow) Annul(ctx context.Context, id certcopy.CopyID, d certcopy.Decision) error {
	if d.Number == "" || d.Date.IsZero() || d.Reason == "" {
		return certcopy.Errorf(certcopy.Invalid, "decision.number", nil, certcopy.Msg("Thiếu số quyết định.", "The decision is missing."))
	}
	_, err := f.Ledger.Annul(ctx, id, d, storagetest.LeafOf(id, storage.LeafAnnul))
	return err
}

// PageImage draws lines of writing.
func (f *ledgerFlow) PageImage(ctx context.Context, id certcopy.CopyID, page, width int) ([]byte, error) {
	c, err := f.Copy(ctx, id)
	if err != nil {
		return nil, err
	}
	if page > max(len(c.Clean.Pages), c.Final.Pages) {
		return nil, storage.ErrNotFound
	}
	f.images.Add(1)
	m := image.NewRGBA(image.Rect(0, 0, width, width*842/595))
	draw.Draw(m, m.Bounds(), image.White, image.Point{}, draw.Src)
	ink := image.NewUniform(color.RGBA{70, 70, 90, 255})
	for i := 6; i < 40-4*page; i++ {
		y := i * m.Rect.Max.Y / 50
		draw.Draw(m, image.Rect(width/8, y, width*(60+i*7%25)/100, y+max(1, width/150)), ink, image.Point{}, draw.Src)
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, m, nil)
	return b.Bytes(), err
}

const finalPDF = "%PDF-1.7 the sealed file"

func (f *ledgerFlow) SharedKey(ctx context.Context, id certcopy.CopyID) (certcopy.Secret, error) {
	_, err := f.PutFileKey(ctx, id, []byte("wrapped"))
	return certcopy.NewSecret([]byte("AGE-SECRET-KEY-1TEST")), err
}

func (f *ledgerFlow) Final(ctx context.Context, id certcopy.CopyID) (io.ReadCloser, certcopy.FinalFile, error) {
	c, err := f.Copy(ctx, id)
	c.Final.Size = int64(len(finalPDF))
	return io.NopCloser(strings.NewReader(finalPDF)), c.Final, err
}

// ArrangePages arranges the files, each of which is one page in this flow; a turned page has its
// name marked.
func (f *ledgerFlow) ArrangePages(ctx context.Context, id certcopy.CopyID, revision int, order []PagePlace) (certcopy.Copy, error) {
	scans, err := f.Scans(ctx, id)
	if err != nil {
		return certcopy.Copy{}, err
	}
	var arranged []certcopy.Scan
	for _, p := range order {
		if p.Page < 1 || p.Page > len(scans) {
			return certcopy.Copy{}, storage.ErrConflict
		}
		s := scans[p.Page-1]
		if p.Turn > 0 {
			s.ID, s.FileName = certcopy.ScanID(storagetest.UUID()), fmt.Sprintf("%s (%d)", s.FileName, p.Turn)
		}
		arranged = append(arranged, s)
	}
	return f.keep(ctx, id, revision, arranged)
}

func (f *ledgerFlow) ReplacePage(ctx context.Context, id certcopy.CopyID, revision, page int, file Upload) (UploadResult, error) {
	result, err := f.Upload(ctx, id, revision, []Upload{file})
	if err != nil || len(result.Refused) > 0 {
		return result, err
	}
	var order []PagePlace
	for n := range result.Copy.Clean.Pages[1:] {
		order = append(order, PagePlace{Page: n + 1})
	}
	order[page-1].Page = len(result.Copy.Clean.Pages)
	result.Copy, err = f.ArrangePages(ctx, id, result.Copy.Revision, order)
	return result, err
}

// EditPages marks the names of the pages; the page itself has no mark.
func (f *ledgerFlow) EditPages(ctx context.Context, id certcopy.CopyID, revision int, pages []int, e intake.Edit) (certcopy.Copy, error) {
	scans, err := f.Scans(ctx, id)
	if err != nil {
		return certcopy.Copy{}, err
	}
	for i := range scans {
		if len(pages) > 0 && !slices.Contains(pages, i+1) {
			continue
		}
		name, _, _ := strings.Cut(scans[i].FileName, " → ")
		if scans[i].FileName = name; e != (intake.Edit{}) {
			scans[i].FileName = fmt.Sprintf("%s → %s %d", name, e.Colour, e.Quality)
		}
	}
	return f.keep(ctx, id, revision, scans)
}

func (f *ledgerFlow) Variant(ctx context.Context, id certcopy.CopyID, page, width int, e intake.Edit) ([]byte, int64, error) {
	picture, err := f.PageImage(ctx, id, page, width)
	return picture, int64(1000 * (1 + len(e.Colour))), err
}

// Framed refuses what no frame can be.
func (f *ledgerFlow) Framed(ctx context.Context, id certcopy.CopyID, page, width int, frame intake.Frame) ([]byte, error) {
	if frame.Tilt > intake.MaxTilt {
		return nil, certcopy.Errorf(certcopy.Invalid, "frame", nil, certcopy.Msg("Góc không hợp lệ.", "The angle is not valid."))
	}
	return f.PageImage(ctx, id, page, width)
}

// FramePage marks the name of the page.
func (f *ledgerFlow) FramePage(ctx context.Context, id certcopy.CopyID, revision, page int, frame intake.Frame) (certcopy.Copy, error) {
	if _, err := f.Framed(ctx, id, page, 200, frame); err != nil {
		return certcopy.Copy{}, err
	}
	scans, err := f.Scans(ctx, id)
	if err != nil {
		return certcopy.Copy{}, err
	}
	name, _, _ := strings.Cut(scans[page-1].FileName, " @ ")
	if scans[page-1].FileName = name; frame != (intake.Frame{}) {
		scans[page-1].FileName = fmt.Sprintf("%s @ %v", name, frame)
	}
	return f.keep(ctx, id, revision, scans)
}

// Fit reaches 10 MB but not 5.
func (f *ledgerFlow) Fit(ctx context.Context, id certcopy.CopyID, revision int, budget int64) (certcopy.Copy, error) {
	if budget < 10<<20 {
		return certcopy.Copy{}, certcopy.Errorf(certcopy.Invalid, "budget", nil, certcopy.Msg("Không thể giảm.", "Cannot be reduced."))
	}
	return f.EditPages(ctx, id, revision, nil, intake.Edit{Quality: 75})
}

// Sheets warns of the second of two files of one content.
func (f *ledgerFlow) Sheets(ctx context.Context, id certcopy.CopyID) ([]Sheet, error) {
	scans, err := f.Scans(ctx, id)
	var sheets []Sheet
	for i, s := range scans {
		sheet := Sheet{FileName: s.FileName, Bytes: s.Size}
		if strings.Contains(s.FileName, "nghiêng") {
			sheet.Suggest = intake.Frame{Tilt: -180, Left: 250}
		}
		if strings.Contains(s.FileName, " → ") {
			sheet.Edit.Quality = 75
		}
		for k := range i {
			if scans[k].Digest == s.Digest {
				sheet.Warnings = append(sheet.Warnings, intake.WarnDuplicate(k+1))
			}
		}
		sheets = append(sheets, sheet)
	}
	return sheets, err
}
