package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
)

// benchCommand measures.
type benchCommand struct {
	Sign       benchSignCommand       `cmd:"" help:"Signing, side by side with the least work a signature can be: SHA-256 of the file, one copy, one use of the key."`
	Throughput benchThroughputCommand `cmd:"" help:"Signatures a second from one core and from several."`
	Verify     benchVerifyCommand     `cmd:"" help:"Validation of a B-LT file with two signatures, beside pyHanko and EU DSS in the same run."`
	Ledger     benchLedgerCommand     `cmd:"" help:"The ledger at ten thousand, a million and more copies: times, growth, bytes per copy."`
	Issue      benchIssueCommand      `cmd:"" help:"Copies per second from scan to release, and the least work they could be."`
	Resident   benchResidentCommand   `cmd:"" hidden:"" help:"Sign a file and print the peak of resident memory."`
}

// benchSignCommand measures signing in this process, in memory, both sides in turns, by
// processor time; and the peak memory of a process of its own that signs file to file.
type benchSignCommand struct {
	JSON   bool          `help:"Print one JSON object per row, one line each."`
	Keys   []string      `help:"Types of keys." default:"RSA-2048,P-256"`
	Sizes  []string      `help:"Sizes of the file, with KB or MB." default:"350KB,2MB,20MB,100MB"`
	Levels []string      `help:"Levels. From B-T on, the time of the authority in this process is in ours_ms, and not in limit_ms." default:"B-B"`
	Rounds int           `help:"Measurements of each side; 0: as many as fit into --time." default:"0"`
	Time   time.Duration `help:"Time for each row." default:"5s"`
}

// benchRow is one line of the result; times are medians.
type benchRow struct {
	Key      string  `json:"key"`
	Size     string  `json:"size"`
	Level    string  `json:"level"`
	Ours     float64 `json:"ours_ms"`
	Limit    float64 `json:"limit_ms"`
	Ratio    float64 `json:"ratio"`
	Allocs   uint64  `json:"allocs"`
	Resident float64 `json:"rss_mb"`
}

// Run measures each combination.
func (c benchSignCommand) Run(ctx context.Context) error {
	authority, err := newBenchAuthority()
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Printf("%-9s %-6s %-6s %10s %10s %7s %8s %8s\n", "key", "size", "level", "ours_ms", "limit_ms", "ratio", "allocs", "rss_mb")
	}
	for _, size := range c.Sizes {
		n, err := parseSize(size)
		if err != nil {
			return explain("--sizes", err)
		}
		base, err := scannedFile(n)
		if err != nil {
			return err
		}
		for _, key := range c.Keys {
			for _, level := range c.Levels {
				row, err := c.row(ctx, authority, base, key, level)
				if err != nil {
					return explain(key+" "+size+" "+level, err)
				}
				row.Size = size
				c.print(row)
			}
		}
	}
	return nil
}

func (c benchSignCommand) print(r benchRow) {
	if c.JSON {
		_ = json.NewEncoder(os.Stdout).Encode(r) // a closed pipe ends the program
		return
	}
	fmt.Printf("%-9s %-6s %-6s %10.3f %10.3f %7.3f %8d %8.1f\n", r.Key, r.Size, r.Level, r.Ours, r.Limit, r.Ratio, r.Allocs, r.Resident)
}

func (c benchSignCommand) row(ctx context.Context, a *benchAuthority, base []byte, key, level string) (benchRow, error) {
	leaf, err := a.official(key)
	if err != nil {
		return benchRow{}, err
	}
	means, err := a.means(level)
	if err != nil {
		return benchRow{}, err
	}
	m := &measurement{base: base, id: leaf.Identity, means: means, out: bytes.NewBuffer(make([]byte, 0, len(base)+1<<20))}
	if err := m.turns(ctx, c.Rounds, c.Time); err != nil {
		return benchRow{}, err
	}
	ours, limit := median(m.ours), median(m.limit)
	row := benchRow{Key: key, Level: level, Ours: milliseconds(ours), Limit: milliseconds(limit),
		Ratio: math.Round(1000*float64(ours)/float64(limit)) / 1000, Allocs: m.allocs}
	row.Resident, err = residentMB(ctx, leaf, base)
	return row, err
}

// measurement measures both sides in turns, so that what disturbs one disturbs the other.
type measurement struct {
	base        []byte
	id          signer.Identity
	means       pades.Means
	out         *bytes.Buffer
	ours, limit []time.Duration
	allocs      uint64
}

func (m *measurement) turns(ctx context.Context, rounds int, budget time.Duration) error {
	m.out.Write(m.base) // so that no turn is the first to touch the memory
	for deadline := time.Now().Add(budget); len(m.ours) < max(rounds, 3) || rounds == 0 && time.Now().Before(deadline); {
		for _, side := range []struct {
			times *[]time.Duration
			once  func(context.Context) error
		}{{&m.limit, m.leastWork}, {&m.ours, m.sign}} {
			m.out.Reset()
			start := processorTime()
			if err := side.once(ctx); err != nil {
				return err
			}
			*side.times = append(*side.times, processorTime()-start)
		}
	}
	return m.allocations(ctx)
}

// allocations counts those of one signature. It is not asked while time is taken: the
// question empties the allocator's caches.
func (m *measurement) allocations(ctx context.Context) error {
	var before, after runtime.MemStats
	m.out.Reset()
	runtime.ReadMemStats(&before)
	err := m.sign(ctx)
	runtime.ReadMemStats(&after)
	m.allocs = after.Mallocs - before.Mallocs
	return err
}

// leastWork is what no signer can do without.
func (m *measurement) leastWork(ctx context.Context) error {
	digest := sha256.Sum256(m.base)
	m.out.Write(m.base)
	_, err := m.id.Key.Sign(ctx, digest[:], crypto.SHA256)
	return err
}

func (m *measurement) sign(ctx context.Context) error {
	_, err := pades.Sign(ctx, bytes.NewReader(m.base), int64(len(m.base)), m.out, m.id, pades.Options{SigningTime: time.Now()}, m.means)
	return err
}

// processorTime is what this process has used so far: other work on the machine disturbs it
// less than the clock on the wall.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails only for a wrong argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// benchAuthority issues certificates, time-stamps and validation data within the process.
type benchAuthority struct {
	pki       *signertest.PKI
	collector pades.Collector
}

func newBenchAuthority() (*benchAuthority, error) {
	const site = "http://pki.invalid"
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now, BaseURL: site})
	if err != nil {
		return nil, err
	}
	return &benchAuthority{p, newCollector(trust.NewStoreOf(p.Anchors()...), p.Transport(nil))}, nil
}

// official is someone with a new key of a type.
func (a *benchAuthority) official(key string) (signertest.Leaf, error) {
	profile := signertest.Official("Nguyễn Văn An", "", "", "")
	profile.KeyType = signertest.KeyType(key)
	return a.pki.Issue(profile)
}

func (a *benchAuthority) means(name string) (pades.Means, error) {
	level, err := pades.ParseLevel(name)
	return pades.Means{Level: level, TimeStamper: a.pki, Collector: a.collector}, err
}

func parseSize(s string) (int, error) {
	for suffix, unit := range map[string]int{"KB": 1 << 10, "MB": 1 << 20} {
		if digits, ok := strings.CutSuffix(s, suffix); ok {
			if n, err := strconv.Atoi(digits); err == nil && n > 0 && n <= (2<<30)/unit {
				return n * unit, nil
			}
		}
	}
	return 0, certcopy.Errorf(certcopy.Invalid, s, nil, certcopy.Msg("Kích thước không đúng, ví dụ 350KB, 20MB.", "This is no size, such as 350KB or 20MB."))
}

// scannedFile makes a file as scans are: images that cannot be compressed, of 175 KB a page.
func scannedFile(size int) ([]byte, error) {
	const image = 175 << 10
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	root, pages, page := w.Alloc(), w.Alloc(), w.Alloc()
	rng, images := rand.NewChaCha8([32]byte{1}), pdf.Dict{}
	for i := 0; i*image < size; i++ {
		data := make([]byte, min(image, size-i*image))
		_, _ = rng.Read(data) // never fails
		ref, err := w.Add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image"))}, data))
		if err != nil {
			return nil, err
		}
		images.Set(pdf.Name(fmt.Sprintf("Im%d", i)), ref)
	}
	err := errors.Join(
		w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", pages)}),
		w.Put(pages, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{page}), pdf.E("Count", pdf.Integer(1))}),
		w.Put(page, pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", pages), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)),
			pdf.E("Resources", pdf.Dict{pdf.E("XObject", images)})}),
		w.Close(pdf.Dict{pdf.E("Root", root)}))
	return b.Bytes(), err
}

// residentMB is the peak resident memory, in MiB, of a process that signs base file to file.
func residentMB(ctx context.Context, leaf signertest.Leaf, base []byte) (float64, error) {
	dir, err := os.MkdirTemp("", "saoy-bench-*")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	in, key := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "key.pem")
	if err := errors.Join(os.WriteFile(in, base, 0o600), writeKey(key, leaf)); err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "resident", key, in, filepath.Join(dir, "out.pdf"))
	cmd.Args[0] = os.Args[0]
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("sign in a process of its own: %w", err)
	}
	return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
}

// benchResidentCommand signs file to file and prints the peak of its own resident memory in
// MiB. What the parent learns about a child includes the parent's own memory on Linux.
type benchResidentCommand struct {
	PEM string `arg:""`
	In  string `arg:""`
	Out string `arg:""`
}

// Run signs and prints.
func (c benchResidentCommand) Run(ctx context.Context) error {
	sign := signCommand{keyFlags: keyFlags{PEM: c.PEM}, fileFlags: fileFlags{In: c.In, Out: c.Out}, appearanceFlags: appearanceFlags{Page: 1}}
	if _, err := sign.sign(ctx); err != nil {
		return explain(c.In, err)
	}
	peak, err := peakMemory()
	if err != nil {
		return err
	}
	fmt.Printf("%.1f\n", float64(peak)/(1<<20))
	return nil
}

// peakMemory is the most memory that was resident in this process, in bytes.
func peakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil { // not Linux
		var u syscall.Rusage
		err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return u.Maxrss, err // bytes on macOS
	}
	var kib int64
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscanf(rest, "%d kB", &kib)
	return kib << 10, err
}

// writeKey writes a throwaway key with its certificates in PEM.
func writeKey(name string, leaf signertest.Leaf) error {
	der, err := x509.MarshalPKCS8PrivateKey(leaf.Private)
	if err != nil {
		return err
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for _, c := range append([]*x509.Certificate{leaf.Certificate}, leaf.Chain...) {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return os.WriteFile(name, out, 0o600)
}
