package issue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
)

// Sheet is one page of a draft as the clerk who arranges the pages sees it.
type Sheet struct {
	FileName string // of the upload it came from
	Bytes    int64  // of its samples
	DPI      float64
	Edit     intake.Edit
	Suggest  intake.Frame `json:",omitzero"` // how it could be straightened and cropped
	Warnings []intake.Warning
}

// Sheets describes the pages of a draft in their order, with what the clerk should look at;
// which page shows the same as an earlier one is found among all files.
func (f *Flow) Sheets(ctx context.Context, id certcopy.CopyID) ([]Sheet, error) {
	scans, err := f.Ledger.Scans(ctx, id)
	if err != nil || len(scans) == 0 {
		return nil, err
	}
	key := sheetsKey(id, scans)
	if sheets, err := f.keptSheets(ctx, key); err == nil {
		return sheets, nil
	}
	pages, err := f.lying(ctx, id)
	if err != nil {
		return nil, err
	}
	sheets := describe(pages)
	b, err := json.Marshal(sheets)
	if err != nil {
		return nil, fmt.Errorf("sheets of %s: %w", id, err)
	}
	// What cannot be kept is found out again next time.
	_ = f.Scratch.Create(ctx, key, bytes.NewReader(b), int64(len(b)), certcopy.DigestOf(b), time.Time{})
	return sheets, nil
}

// sheetsKey names the description of scans, which never change.
func sheetsKey(id certcopy.CopyID, scans []certcopy.Scan) string {
	var list strings.Builder
	for _, s := range scans {
		list.WriteString(string(s.ID) + "\n")
	}
	return fmt.Sprintf("sheets/%s/%s.json", id, certcopy.DigestOf([]byte(list.String())))
}

func (f *Flow) keptSheets(ctx context.Context, key string) (sheets []Sheet, err error) {
	body, _, err := f.Scratch.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return sheets, json.Unmarshal(b, &sheets)
}

func describe(pages []lyingPage) []Sheet {
	all := make([]*intake.Page, len(pages))
	for i := range pages {
		all[i] = &pages[i].Page
	}
	first := intake.Duplicates(all)
	sheets := make([]Sheet, len(pages))
	for i, p := range pages {
		sheets[i] = Sheet{FileName: p.scan.FileName, Bytes: int64(len(p.Data)), DPI: p.Sheet.DPI, Edit: p.Edit, Suggest: p.Look.Suggest, Warnings: p.Warnings}
		if first[i] > 0 {
			sheets[i].Warnings = append(sheets[i].Warnings, intake.WarnDuplicate(first[i]))
		}
	}
	return sheets
}
