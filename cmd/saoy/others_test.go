package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestOtherProgramsAgree: poppler, qpdf, OpenSSL and pyHanko, which compares revisions as our
// own validator does, find both signatures of a copy valid.
func TestOtherProgramsAgree(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.start() // pyHanko asks the authority that the certificates name
	dir := t.TempDir()
	scan, pdf := filepath.Join(dir, "scan.jpg"), filepath.Join(dir, "copy.pdf")
	if err := writeScan(scan); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(s.binary, "certify", "--data", s.dir, "-o", pdf, scan).CombinedOutput(); err != nil {
		t.Fatalf("certify: %v\n%s", err, out)
	}
	anchor := filepath.Join(s.dir, "demo", "ca.pem")
	t.Run("pdfsig", func(t *testing.T) {
		out := tool(t, "pdfsig", "-nocert", pdf)
		if strings.Count(out, "Signature is Valid") != 2 || strings.Count(out, "ETSI.CAdES.detached") != 2 {
			t.Errorf("pdfsig says\n%s", out)
		}
	})
	t.Run("qpdf", func(t *testing.T) {
		if out := tool(t, "qpdf", "--check", pdf); strings.Contains(out, "WARNING") {
			t.Errorf("qpdf says\n%s", out)
		}
	})
	t.Run("openssl", func(t *testing.T) {
		for i, s := range signaturesOf(t, pdf) {
			message, content := filepath.Join(dir, fmt.Sprint(i, ".der")), filepath.Join(dir, fmt.Sprint(i, ".bin"))
			for name, b := range map[string][]byte{message: s.cms, content: s.content} {
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out := tool(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", message, "-content", content,
				"-CAfile", anchor, "-purpose", "any", "-out", os.DevNull)
			if !strings.Contains(out, "Verification successful") {
				t.Errorf("openssl says of signature %d\n%s", i+1, out)
			}
		}
	})
	t.Run("pyhanko", func(t *testing.T) {
		name := "pyhanko"
		if tools := os.Getenv("SAOY_TOOLS"); tools != "" {
			name = filepath.Join(tools, "pyhanko", "bin", "pyhanko")
		}
		out := tool(t, name, "sign", "validate", "--pretty-print", "--trust-replace", "--trust", anchor, pdf)
		if strings.Count(out, "judged VALID") != 2 {
			t.Errorf("pyHanko says\n%s", out)
		}
	})
}

// tool runs a program and returns what it printed; the test is skipped by name without it.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatalf("%s is required", name)
		}
		t.Skipf("no %s on this machine", name)
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

type signature struct{ cms, content []byte }

// signaturesOf takes the signatures out of a file by its byte ranges, trusting them: it is
// OpenSSL that is asked here.
func signaturesOf(t *testing.T, name string) (found []signature) {
	t.Helper()
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	ranges := regexp.MustCompile(`/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]`)
	for _, m := range ranges.FindAllSubmatch(file, -1) {
		var n [3]int
		for i := range n {
			if n[i], err = strconv.Atoi(string(m[i+1])); err != nil {
				t.Fatal(err)
			}
		}
		message, err := hex.DecodeString(string(bytes.Trim(file[n[0]:n[1]], "<>")))
		if err != nil {
			t.Fatal(err)
		}
		content := append(bytes.Clone(file[:n[0]]), file[n[1]:n[1]+n[2]]...)
		found = append(found, signature{message, content})
	}
	if len(found) != 2 {
		t.Fatalf("%d signatures, want 2", len(found))
	}
	return found
}
