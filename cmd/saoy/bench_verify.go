package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

// benchVerifyCommand measures validation of one file, B-LT with two signatures, from what it
// carries: here, and in the same run by the programs that scripts/tools installs.
type benchVerifyCommand struct {
	JSON   bool   `help:"Print one JSON object, one line."`
	Size   string `help:"Size of the file, with KB or MB." default:"1MB"`
	Rounds int    `help:"Validations by each program." default:"21"`
	Tools  string `help:"Folder of pyHanko and EU DSS, as scripts/tools makes it." default:".cache/tools" env:"SAOY_TOOLS"`
}

// benchVerifyRow is the result: milliseconds of processor time, median for saoy and pyHanko;
// for EU DSS the mean of a warm virtual machine. Zero: the program is not installed.
type benchVerifyRow struct {
	Size       string  `json:"size"`
	Bytes      int     `json:"bytes"`
	Signatures int     `json:"signatures"`
	Level      string  `json:"level"`
	Ours       float64 `json:"ours_ms"`
	PyHanko    float64 `json:"pyhanko_ms"`
	DSS        float64 `json:"dss_ms"`
	// Ratio is the time of the fastest other program by ours.
	Ratio float64 `json:"ratio"`
}

//go:embed bench_verify.py
var benchVerifyScript string

// Run measures each program and prints the row.
func (c benchVerifyCommand) Run(ctx context.Context) error {
	size, err := parseSize(c.Size)
	if err != nil {
		return explain("--size", err)
	}
	authority, err := newBenchAuthority()
	if err != nil {
		return err
	}
	data, err := authority.signedTwice(ctx, size)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "saoy-bench-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, root := filepath.Join(dir, "signed.pdf"), filepath.Join(dir, "root.pem")
	anchor := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.pki.Root.Certificate.Raw})
	if err := errors.Join(os.WriteFile(file, data, 0o600), os.WriteFile(root, anchor, 0o600)); err != nil {
		return err
	}
	row := benchVerifyRow{Size: c.Size, Bytes: len(data), Signatures: 2, Level: "B-LT"}
	if row.Ours, err = c.ours(ctx, authority, data); err != nil {
		return err
	}
	if row.PyHanko, err = c.pyHanko(ctx, root, file); err != nil {
		return err
	}
	if row.DSS, err = c.dss(ctx, root, file); err != nil {
		return err
	}
	for _, other := range []float64{row.PyHanko, row.DSS} {
		if ratio := other / row.Ours; other > 0 && (row.Ratio == 0 || ratio < row.Ratio) {
			row.Ratio = ratio
		}
	}
	return c.print(row)
}

func (c benchVerifyCommand) print(r benchVerifyRow) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	_, err := fmt.Printf("%-6s %10s %6s %10s %12s %10s %7s\n%-6s %10d %6s %10.3f %12.1f %10.1f %7.1f\n",
		"size", "bytes", "level", "ours_ms", "pyhanko_ms", "dss_ms", "ratio", r.Size, r.Bytes, r.Level, r.Ours, r.PyHanko, r.DSS, r.Ratio)
	return err
}

// signedTwice makes the file: an official's signature, then the agency's, with validation data.
func (a *benchAuthority) signedTwice(ctx context.Context, size int) ([]byte, error) {
	data, err := scannedFile(size)
	if err != nil {
		return nil, err
	}
	for _, p := range []signertest.Profile{signertest.Official("Nguyễn Văn An", "", "", ""), signertest.Agency("Ủy ban nhân dân xã", "MST:0100000000")} {
		leaf, err := a.pki.Issue(p)
		if err != nil {
			return nil, err
		}
		means, err := a.means("B-LT")
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if _, err := pades.Sign(ctx, bytes.NewReader(data), int64(len(data)), &out, leaf.Identity, pades.Options{SigningTime: time.Now()}, means); err != nil {
			return nil, err
		}
		data = out.Bytes()
	}
	return data, nil
}

func (c benchVerifyCommand) ours(ctx context.Context, a *benchAuthority, data []byte) (float64, error) {
	o := validation.Options{At: time.Now(), Anchors: trust.NewStoreOf(a.pki.Anchors()...)}
	var times []time.Duration
	for range max(c.Rounds, 3) {
		start := processorTime()
		r, err := validation.File(ctx, bytes.NewReader(data), int64(len(data)), o)
		if err != nil {
			return 0, err
		}
		if !r.Passed() {
			return 0, fmt.Errorf("bench verify: %s %s", r.Indication, r.SubIndication)
		}
		times = append(times, processorTime()-start)
	}
	return milliseconds(median(times)), nil
}

func (c benchVerifyCommand) pyHanko(ctx context.Context, root, file string) (float64, error) {
	python := filepath.Join(c.Tools, "pyhanko", "bin", "python3")
	if _, err := os.Stat(python); err != nil {
		return 0, nil //nolint:nilerr // not installed
	}
	args := append([]string{"-c", benchVerifyScript, root}, slices.Repeat([]string{file}, max(c.Rounds, 3))...)
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("pyHanko: %w", err)
	}
	var times []float64
	for word := range strings.FieldsSeq(string(out)) {
		ms, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return 0, fmt.Errorf("pyHanko: %w", err)
		}
		times = append(times, ms)
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// dss is the difference between a run over many files and one over as many as warm the
// virtual machine up.
func (c benchVerifyCommand) dss(ctx context.Context, root, file string) (float64, error) {
	program := filepath.Join(c.Tools, "bin", "dss")
	if _, err := os.Stat(program); err != nil {
		return 0, nil //nolint:nilerr // not installed
	}
	const warm = 5
	rounds := max(c.Rounds, 3)
	var used [2]time.Duration
	for i, files := range []int{warm, warm + rounds} {
		args := append([]string{"validate", "--trust", root}, slices.Repeat([]string{file}, files)...)
		cmd := exec.CommandContext(ctx, program, args...)
		out, err := cmd.Output()
		if err != nil || strings.Count(string(out), "TOTAL_PASSED") != 2*files {
			return 0, fmt.Errorf("EU DSS does not pass the file: %w: %.500s", err, out)
		}
		used[i] = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	return milliseconds(used[1]-used[0]) / float64(rounds), nil
}
