package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// proofFlags check a proof from /v/CODE/proof without the service and without a network.
type proofFlags struct {
	Proof  string `help:"Proof file from /v/CODE/proof: check it, and that the files are the copy it speaks of." placeholder:"FILE" type:"existingfile"`
	LogKey string `help:"Public key of the log, or a file with it (/log/key); needed with --proof." placeholder:"KEY"`
}

// proven is what a proof file says, when all of it holds.
type proven struct {
	Proof  string `json:"proof"`
	Origin string `json:"origin"`
	// Size is that of the log at the checkpoint: what was appended later is not known here.
	Size   int64        `json:"log_size"`
	Leaves []provenLeaf `json:"leaves"`
	// Status is valid, annulled, void or erased as of the checkpoint.
	Status string       `json:"status"`
	Files  []provenFile `json:"files,omitempty"`
}

type provenLeaf struct {
	Kind           storage.LeafKind   `json:"kind"`
	Index          certcopy.LeafIndex `json:"index"`
	Time           time.Time          `json:"time"`
	Agency         certcopy.AgencyID  `json:"agency"`
	Book           certcopy.BookCode  `json:"book"`
	Year           int                `json:"year"`
	Number         int64              `json:"number"`
	SHA256         string             `json:"sha256,omitempty"`
	Length         int64              `json:"length,omitempty"`
	DecisionNumber string             `json:"decision_number,omitempty"`
}

type provenFile struct {
	File string `json:"file"`
	// Match is same, longer (the registered bytes with something behind them, which needs
	// verify without --proof) or different.
	Match string `json:"match"`
}

// checked is run where a proof is to be checked; else it reports false, after asking for a file.
func (f proofFlags) checked(files []string, asJSON bool) (done bool, err error) {
	if f.Proof != "" {
		return true, f.run(files, asJSON)
	}
	if len(files) == 0 {
		return true, &exitError{exitUnusable, certcopy.Errorf(certcopy.Invalid, "verify", nil, certcopy.Msg(
			"Hãy cho biết tệp cần kiểm tra.", "Name the files to verify."))}
	}
	return false, nil
}

// run checks the proof and the files. Exit status 0: all holds, and the copy was neither
// annulled nor void at the checkpoint; 1: not so; 2: something could not be read.
func (f proofFlags) run(files []string, asJSON bool) error {
	p, err := f.prove()
	if err != nil {
		status := exitUnusable
		if errors.Is(err, register.ErrProof) || errors.Is(err, register.ErrCheckpoint) || errors.Is(err, register.ErrLeaf) {
			status = exitFailed
		}
		return &exitError{status, err}
	}
	failed := p.Status == "annulled" || p.Status == "void"
	for _, name := range files {
		match, err := p.match(name)
		if err != nil {
			return &exitError{exitUnusable, err}
		}
		p.Files = append(p.Files, provenFile{name, match})
		failed = failed || match != "same"
	}
	if err := p.print(asJSON); err != nil {
		return err
	}
	if failed {
		return &exitError{status: exitFailed}
	}
	return nil
}

// prove verifies every proof of the file with the log's key, and that all are of one copy.
func (f proofFlags) prove() (*proven, error) {
	key := []byte(f.LogKey)
	if b, err := os.ReadFile(f.LogKey); err == nil {
		key = b
	}
	log, err := register.ParseLogKey(string(key))
	if err != nil {
		return nil, certcopy.Errorf(certcopy.Invalid, "--log-key", err, certcopy.Msg(
			"Cần khóa công khai của nhật ký: tải từ /log/key của hệ thống, tốt nhất là đối chiếu với một nguồn khác.",
			"The public key of the log is needed: get it from /log/key of the service, and better compare it with another source."))
	}
	b, err := os.ReadFile(f.Proof)
	if err != nil {
		return nil, err
	}
	proofs, err := register.ParseProofs(b)
	if err != nil {
		return nil, notProven(f.Proof, err)
	}
	out := &proven{Proof: f.Proof, Origin: log.Origin()}
	var code certcopy.Digest
	for i, p := range proofs {
		leaf, checkpoint, err := log.Verify(p)
		if err == nil && i > 0 && leaf.CodeHash != code {
			err = fmt.Errorf("%w: it speaks of two copies", register.ErrProof)
		}
		if err != nil {
			return nil, notProven(f.Proof, err)
		}
		code = leaf.CodeHash
		out.add(leaf, p.Index, checkpoint.Size)
	}
	return out, nil
}

func notProven(name string, err error) error {
	return certcopy.Errorf(certcopy.Invalid, name, err, certcopy.Msg(
		"Bằng chứng KHÔNG đúng: chữ ký của nhật ký, đường dẫn hoặc dòng ghi không khớp. Không tin tệp này.",
		"The proof does NOT hold: the log's signature, the path or the leaf does not fit. Do not believe it."))
}

func (p *proven) add(l register.Leaf, index certcopy.LeafIndex, size int64) {
	leaf := provenLeaf{Kind: l.Kind, Index: index, Time: l.Time, Agency: l.Agency, Book: l.Book, Year: l.Year, Number: l.Number, Length: l.Length, DecisionNumber: l.DecisionNumber}
	if !l.File.IsZero() {
		leaf.SHA256 = l.File.String()
	}
	p.Leaves, p.Size = append(p.Leaves, leaf), max(p.Size, size)
	switch {
	case p.Status == "annulled":
	case l.Kind == storage.LeafAnnul:
		p.Status = "annulled"
	case l.Kind == storage.LeafVoid:
		p.Status = "void"
	case l.Kind == storage.LeafErase:
		p.Status = "erased"
	case p.Status == "":
		p.Status = "valid"
	}
}

// match compares a file with the registered digests.
func (p *proven) match(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	match := "different"
	for _, l := range p.Leaves {
		if l.SHA256 == "" || info.Size() < l.Length {
			continue
		}
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(file, 0, l.Length)); err != nil {
			return "", err
		}
		if fmt.Sprintf("%x", h.Sum(nil)) != l.SHA256 {
			continue
		}
		if info.Size() == l.Length {
			return "same", nil
		}
		match = "longer"
	}
	return match, nil
}

// proofWords are the statuses and matches in words.
var proofWords = map[string]certcopy.Message{
	"valid":     certcopy.Msg("đã được cấp; nhật ký chưa ghi hủy bỏ tính đến bản ký này", "issued; the log had no annulment up to this checkpoint"),
	"annulled":  certcopy.Msg("ĐÃ BỊ HỦY BỎ GIÁ TRỊ PHÁP LÝ", "ANNULLED"),
	"void":      certcopy.Msg("số này chưa từng được phát hành", "this number was never issued"),
	"erased":    certcopy.Msg("đã được cấp; tệp lưu đã xóa", "issued; the stored file was erased"),
	"same":      certcopy.Msg("đúng là tệp đã ghi sổ, từng bit", "is the registered file, bit for bit"),
	"longer":    certcopy.Msg("bắt đầu bằng tệp đã ghi sổ, có thêm phần phía sau: hãy kiểm tra bằng saoy verify không kèm --proof", "begins with the registered file; check what follows with saoy verify without --proof"),
	"different": certcopy.Msg("KHÔNG phải tệp đã ghi sổ", "is NOT the registered file"),
}

func (p *proven) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(p)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n  bằng chứng đúng / the proof holds   %s, %d\n", p.Proof, p.Origin, p.Size)
	for _, l := range p.Leaves {
		fmt.Fprintf(&b, "  %-7s %s  %s  số/number %d, %s %d", l.Kind, l.Time.Format(time.RFC3339), l.Agency, l.Number, l.Book, l.Year)
		if l.DecisionNumber != "" {
			fmt.Fprintf(&b, "  quyết định/decision %s", l.DecisionNumber)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "  %s / %s\n", proofWords[p.Status].VI, proofWords[p.Status].EN)
	for _, f := range p.Files {
		fmt.Fprintf(&b, "%s\n  %s / %s\n", f.File, proofWords[f.Match].VI, proofWords[f.Match].EN)
	}
	_, err := os.Stdout.Write(b.Bytes())
	return err
}
