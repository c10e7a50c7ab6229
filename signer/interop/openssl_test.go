package interop

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/cms"
)

var byteRange = regexp.MustCompile(`/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]`)

// askOpenSSL cuts the signatures out of the file by their byte ranges and verifies each.
func askOpenSSL(t testing.TB, w *world, program string, s subject) string {
	data := read(t, s.path)
	count := 0
	for i, m := range byteRange.FindAllSubmatch(data, -1) {
		var at [4]int
		for j := range at {
			at[j], _ = strconv.Atoi(string(m[j+1])) // matched digits; out of range is caught below
		}
		if at[0] != 0 || at[1] >= at[2] || at[2]+at[3] > len(data) {
			return fmt.Sprintf("byte range %v", at)
		}
		der, err := hex.DecodeString(strings.Trim(string(data[at[1]:at[2]]), "<> \r\n"))
		if err != nil {
			return err.Error()
		}
		content := append(bytes.Clone(data[:at[1]]), data[at[2]:at[2]+at[3]]...)
		before := data[max(0, at[1]-600):at[1]]
		after := data[at[2]:min(len(data), at[2]+600)]
		stamp := bytes.Contains(dictionaryAround(before, after), []byte("ETSI.RFC3161"))
		if !stamp {
			count++
		}
		why := w.opensslVerify(t, program, fmt.Sprintf("%s.%d", s.path, i), der, content, stamp, bytes.Contains(dictionaryAround(before, after), []byte("ETSI.CAdES")))
		if why != "" {
			return fmt.Sprintf("signature %d: %s", i+1, why)
		}
	}
	return counted("", count, s)
}

// dictionaryAround is what of both sides belongs to the signature dictionary.
func dictionaryAround(before, after []byte) []byte {
	if i := bytes.LastIndex(before, []byte(" obj")); i >= 0 {
		before = before[i:]
	}
	if i := bytes.Index(after, []byte("endobj")); i >= 0 {
		after = after[:i]
	}
	return append(bytes.Clone(before), after...)
}

// opensslVerify verifies a signature or a document time-stamp, and the time-stamps within.
func (w *world) opensslVerify(t testing.TB, program, name string, der, content []byte, stamp, cades bool) string {
	message, _, err := cms.Split(der)
	if err != nil {
		return err.Error()
	}
	write(t, name+".der", message)
	write(t, name+".content", content)
	defer func() { _ = os.Remove(name + ".der"); _ = os.Remove(name + ".content") }() // only to save space
	if stamp {
		return w.opensslStamp(t, program, name+".der", name+".content")
	}
	args := []string{"cms", "-verify", "-binary", "-inform", "DER", "-in", name + ".der", "-content", name + ".content",
		"-CAfile", w.path("root.pem"), "-certfile", w.path("chain.pem"), "-purpose", "any", "-out", os.DevNull}
	want := "CMS Verification successful"
	if cades {
		args, want = append(args, "-cades"), "CAdES Verification successful"
	}
	if out := output(t, program, args...); !strings.Contains(out, want) {
		return lastLines(out, 2)
	}
	return w.opensslWithin(t, program, name, message)
}

// opensslWithin verifies the signature time-stamps of a signature.
func (w *world) opensslWithin(t testing.TB, program, name string, message []byte) string {
	sd, err := cms.Parse(message)
	if err != nil {
		return err.Error()
	}
	for _, si := range sd.Signers {
		for _, token := range si.TimeStampTokens() {
			write(t, name+".der", token)
			write(t, name+".content", si.Signature)
			if why := w.opensslStamp(t, program, name+".der", name+".content"); why != "" {
				return "signature time-stamp: " + why
			}
		}
	}
	return ""
}

func (w *world) opensslStamp(t testing.TB, program, token, data string) string {
	out := output(t, program, "ts", "-verify", "-token_in", "-in", token, "-data", data, "-CAfile", w.path("root.pem"), "-untrusted", w.path("chain.pem"))
	if !strings.Contains(out, "Verification: OK") {
		return lastLines(out, 2)
	}
	return ""
}
