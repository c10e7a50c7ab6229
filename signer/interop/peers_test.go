package interop

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/saoy/saoy/signer/pades"
)

// subject is a signed file to be judged.
type subject struct {
	name  string // of what was done
	path  string
	input string
	key   string
	level pades.Level
	field string // of the signature that is held to the level
	count int    // signatures, without document time-stamps
	pdfa  bool
	// crossing: others have signed or extended it too
	crossing bool
}

// verdicts are by path: empty if the file is as it should be, else why not. A file that a
// peer has no opinion about is not among them.
type verdicts map[string]string

// peer is a program that judges.
type peer struct {
	name  string
	asks  string // what it is asked, for the report
	find  func() string
	judge func(t testing.TB, w *world, program string, subjects []subject) verdicts
}

var peers = []*peer{
	{"qpdf", "`--check` finds no error and nothing to repair", func() string { return findTool("qpdf") }, eachFile(askQPDF)},
	{"pdfsig", "every signature is valid (poppler; it leaves out document time-stamps)", func() string { return findTool("pdfsig") }, eachFile(askPdfsig)},
	{"OpenSSL", "`cms -verify -cades` of every CAdES signature, `ts -verify` of every time-stamp", func() string { return findTool("openssl") }, eachFile(askOpenSSL)},
	{"pyHanko", "strict reading (hybrid files it reads only leniently), every change after a signature allowed; from B-LT on valid in ten days from what the file carries", findPyHanko, askPyHanko},
	{"EU DSS", "`TOTAL_PASSED`, the level as claimed, no modification; from B-LT on without network", findDSS, askDSS},
	{"PDFBox", "the signatures found and their bytes and keys verified with Bouncy Castle", findDSS, askPDFBox},
	{"veraPDF", "PDF/A-2b stays PDF/A-2b", func() string { return findTool("bin/verapdf") }, askVeraPDF},
}

// eachFile judges files one by one, on all processors.
func eachFile(ask func(t testing.TB, w *world, program string, s subject) string) func(testing.TB, *world, string, []subject) verdicts {
	return func(t testing.TB, w *world, program string, subjects []subject) verdicts {
		out := verdicts{}
		var mu sync.Mutex
		var wait sync.WaitGroup
		free := make(chan struct{}, runtime.GOMAXPROCS(0))
		for _, s := range subjects {
			free <- struct{}{}
			wait.Go(func() {
				why := ask(t, w, program, s)
				mu.Lock()
				out[s.path] = why
				mu.Unlock()
				<-free
			})
		}
		wait.Wait()
		return out
	}
}

// askQPDF tolerates what is so in every linearized file that was appended to.
func askQPDF(t testing.TB, _ *world, program string, s subject) string {
	out := output(t, program, "--check", s.path)
	for line := range strings.Lines(out) {
		appended := strings.Contains(line, "linearized file contains") || strings.Contains(line, "hint table") || strings.Contains(line, "is not one plus the highest object number")
		if (strings.Contains(line, "WARNING") || strings.Contains(line, "ERROR")) && !appended {
			return line
		}
	}
	if !strings.Contains(out, "No syntax or stream encoding errors found") && !strings.Contains(out, "succeeded with warnings") {
		return lastLines(out, 2)
	}
	return ""
}

func askPdfsig(t testing.TB, _ *world, program string, s subject) string {
	out := output(t, program, "-nocert", s.path)
	valid := 0
	for part := range strings.SplitSeq(out, "Signature #") {
		switch {
		case strings.Contains(part, "Signature Validation: Signature is Valid."):
			valid++
		case strings.Contains(part, "Signature Validation:") && !strings.Contains(part, "ETSI.RFC3161") && !strings.Contains(part, "Signature Type: unknown"):
			return lastLines(part, 3)
		}
	}
	if valid < s.count {
		return fmt.Sprintf("%d of %d signatures are valid: %s", valid, s.count, lastLines(out, 3))
	}
	return ""
}

// answers reads the JSON lines of a program about subjects.
func answers[T any](out string, subjects []subject, file func(T) string, judge func(T, subject) string) verdicts {
	known := map[string]subject{}
	for _, s := range subjects {
		known[s.path] = s
	}
	found := verdicts{}
	for line := range strings.Lines(out) {
		var a T
		if json.Unmarshal([]byte(line), &a) != nil {
			continue
		}
		if s, ok := known[file(a)]; ok {
			found[s.path] = judge(a, s)
		}
	}
	for _, s := range subjects {
		if _, ok := found[s.path]; !ok {
			found[s.path] = "no answer: " + lastLines(out, 2)
		}
	}
	return found
}

type hankoAnswer struct {
	File, Error, Lenient string
	Signatures           []struct {
		Field, Type, Why string
		OK               bool
	}
}

// askPyHanko asks about some files at a time, so that no process takes long, and with several at once.
func askPyHanko(t testing.TB, w *world, program string, subjects []subject) verdicts {
	out := verdicts{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for some := range slices.Chunk(subjects, 40) {
		free <- struct{}{}
		wait.Go(func() {
			answers := askPyHankoAbout(t, w, program, some)
			mu.Lock()
			maps.Copy(out, answers)
			mu.Unlock()
			<-free
		})
	}
	wait.Wait()
	return out
}

func askPyHankoAbout(t testing.TB, w *world, program string, subjects []subject) verdicts {
	args := []string{"testdata/peer.py", "validate", "--trust", w.path("root.pem")}
	for _, s := range subjects {
		args = append(args, strings.TrimPrefix(s.level.String(), "B-")+":"+s.field+":"+s.path)
	}
	return answers(output(t, program, args...), subjects, func(a hankoAnswer) string { return a.File }, judgeHanko)
}

func judgeHanko(a hankoAnswer, s subject) string {
	count := 0
	for _, sig := range a.Signatures {
		if !sig.OK {
			return sig.Field + ": " + sig.Why
		}
		if sig.Type == "/Sig" {
			count++
		}
	}
	if a.Lenient != "" && a.Lenient != "hybrid" {
		return "read only leniently: " + a.Lenient
	}
	return counted(a.Error, count, s)
}

func counted(failure string, count int, s subject) string {
	if failure == "" && count != s.count {
		return fmt.Sprintf("%d signatures were found, not %d", count, s.count)
	}
	return failure
}

type dssAnswer struct {
	File, Error string
	Signatures  []struct {
		Field, Level, Indication string
		SubIndication            string `json:"sub_indication"`
		Errors                   []string
		Intact, Modified         bool
	}
	Timestamps []struct {
		Type, Indication string
		SubIndication    string `json:"sub_indication"`
		Errors           []string
		Intact           bool
	}
}

// askDSS asks about low levels with fetching and about the others without.
func askDSS(t testing.TB, w *world, program string, subjects []subject) verdicts {
	var low, high []subject
	for _, s := range subjects {
		if s.level < pades.BLT {
			low = append(low, s)
		} else {
			high = append(high, s)
		}
	}
	trust := []string{"validate", "--trust", w.path("root.pem")}
	all := askDSSAbout(t, program, append(trust, "--fetch"), low)
	maps.Copy(all, askDSSAbout(t, program, trust, high))
	return all
}

// askDSSAbout asks about some files at a time, so that no process takes long.
func askDSSAbout(t testing.TB, program string, args []string, subjects []subject) verdicts {
	out := verdicts{}
	for some := range slices.Chunk(subjects, 100) {
		words := slices.Clone(args)
		for _, s := range some {
			words = append(words, s.path)
		}
		maps.Copy(out, answers(output(t, program, words...), some, func(a dssAnswer) string { return a.File }, judgeDSS))
	}
	return out
}

func judgeDSS(a dssAnswer, s subject) string {
	for _, sig := range a.Signatures {
		want := "PAdES-BASELINE-" + strings.TrimPrefix(s.level.String(), "B-")
		switch {
		case !sig.Intact || sig.Indication != "TOTAL_PASSED":
			return fmt.Sprintf("%s: %s %s %v", sig.Field, sig.Indication, sig.SubIndication, sig.Errors)
		case sig.Modified:
			return sig.Field + ": modified afterwards"
		case sig.Field == s.field && sig.Level != want:
			return fmt.Sprintf("%s: level %s, not %s", sig.Field, sig.Level, want)
		}
	}
	for _, stamp := range a.Timestamps {
		if !stamp.Intact || stamp.Indication != "PASSED" {
			return fmt.Sprintf("%s: %s %s %v", stamp.Type, stamp.Indication, stamp.SubIndication, stamp.Errors)
		}
	}
	return counted(a.Error, len(a.Signatures), s)
}

type boxAnswer struct {
	File, Error string
	Signatures  []struct {
		SubFilter string
		Valid     bool
	}
}

func askPDFBox(t testing.TB, _ *world, program string, subjects []subject) verdicts {
	args := []string{"pdfbox"}
	for _, s := range subjects {
		args = append(args, s.path)
	}
	return answers(output(t, program, args...), subjects, func(a boxAnswer) string { return a.File }, func(a boxAnswer, s subject) string {
		count := 0
		for _, sig := range a.Signatures {
			if !sig.Valid {
				return sig.SubFilter + ": not valid"
			}
			if sig.SubFilter != "ETSI.RFC3161" {
				count++
			}
		}
		return counted(a.Error, count, s)
	})
}

var veraLine = regexp.MustCompile(`(?m)^(PASS|FAIL) (.*?)(?: 2b)?$`)

func askVeraPDF(t testing.TB, _ *world, program string, subjects []subject) verdicts {
	out := verdicts{}
	args := []string{"-f", "2b", "--format", "text", "-v"}
	for _, s := range subjects {
		if s.pdfa {
			out[s.path] = "no answer"
			args = append(args, s.path)
		}
	}
	if len(out) == 0 {
		return out
	}
	said := output(t, program, args...)
	for _, m := range veraLine.FindAllStringSubmatch(said, -1) {
		if _, ok := out[m[2]]; ok {
			out[m[2]] = ""
			if m[1] == "FAIL" {
				out[m[2]] = lastLines(said, 3)
			}
		}
	}
	return out
}
