package register

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

var fenced = regexp.MustCompile("(?ms)^```(?:text|bash) (.+?)\n(.*?)^```$")

// vectors returns the blocks of docs/register.md by their names. "leaf issue HASH" is found
// as "leaf issue", its hash under "leaf issue hash".
func vectors(t *testing.T) map[string]string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/register.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]string{}
	for _, m := range fenced.FindAllStringSubmatch(string(doc), -1) {
		name := m[1]
		if i := strings.LastIndexByte(name, ' '); len(name)-i == 65 {
			name = name[:i]
			blocks[name+" hash"] = m[1][i+1:]
		}
		blocks[name] = m[2]
	}
	return blocks
}

// docFacts are the private facts of the specification, its salt 32 bytes of seven.
var docFacts = PrivateFacts{Requester: "Nguyễn Văn An", Title: "Bằng tốt nghiệp trung học phổ thông", IssuingBody: "Sở Giáo dục và Đào tạo", Copies: 2}

func TestSpecification(t *testing.T) {
	v := vectors(t)
	text, err := docFacts.Text(bytes.Repeat([]byte{7}, SaltBytes))
	if err != nil || string(text) != v["private-facts"] || certcopy.DigestOf(text).String() != v["private-facts hash"] {
		t.Errorf("private facts: %v\n%s", err, text)
	}
	commitment, err := certcopy.ParseDigest(v["private-facts hash"])
	if err != nil {
		t.Fatal(err)
	}
	var m tree
	for _, k := range kinds {
		want := sample(k)
		if k == storage.LeafIssue {
			want.Commitment = commitment
		}
		b := []byte(v["leaf "+string(k)])
		got, err := ParseLeaf(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("leaf %s: %v\ngot  %+v\nwant %+v", k, err, got, want)
		}
		if LeafHash(b).String() != v["leaf "+string(k)+" hash"] {
			t.Errorf("leaf %s has the hash %s", k, LeafHash(b))
		}
		m.append(t, b)
	}
	s := testSigner(t, 1)
	if key := strings.TrimSpace(v["log-key"]); key != s.Log().Key() {
		t.Errorf("key %s", s.Log().Key())
	}
	signed := m.sign(t, s, nil)
	if string(signed) != v["checkpoint"] {
		t.Errorf("checkpoint:\n%s", signed)
	}
	p, err := s.Log().Prove(m.leaves[0], 0, signed, m.reader())
	if err != nil || string(p.Marshal()) != v["proof"] {
		t.Errorf("proof: %v\n%s", err, p.Marshal())
	}
}

// TestShellWalkThrough runs the script of the specification on good and on changed proofs.
func TestShellWalkThrough(t *testing.T) {
	for _, tool := range []string{"bash", "openssl", "sha256sum", "base64", "od", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("SAOY_REQUIRE") == "all" {
				t.Fatalf("%s is not installed", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
	v, dir := vectors(t), t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	script, key := file("check.sh", []byte(v["check"])), file("log.key", []byte(v["log-key"]))
	run := func(proof []byte) (string, error) {
		out, err := exec.Command("bash", script, file("proof", proof), key).Output() // #nosec G204 -- the specification's own script
		return string(out), err
	}
	if out, err := run([]byte(v["proof"])); err != nil || out != v["leaf issue"] {
		t.Fatalf("the proof of the specification: %v\n%s", err, out)
	}

	s := testSigner(t, 1)
	var m tree
	m.grow(t, 11)
	signed := m.sign(t, s, nil)
	for _, i := range []int{0, 3, 7, 8, 10} {
		p, err := s.Log().Prove(m.leaves[i], certcopy.LeafIndex(i), signed, m.reader())
		if err != nil {
			t.Fatal(err)
		}
		if out, err := run(p.Marshal()); err != nil || out != string(m.leaves[i]) {
			t.Errorf("leaf %d: %v\n%s", i, err, out)
		}
	}
	p, _ := s.Log().Prove(m.leaves[3], 3, signed, m.reader())
	for name, bad := range map[string]Proof{
		"another leaf":           {m.leaves[4], p.Index, p.Path, p.Checkpoint},
		"another index":          {p.Leaf, 4, p.Path, p.Checkpoint},
		"an index outside":       {p.Leaf, 11, p.Path, p.Checkpoint},
		"a path too short":       {p.Leaf, p.Index, p.Path[1:], p.Checkpoint},
		"a path too long":        {p.Leaf, p.Index, append(p.Path[:len(p.Path):len(p.Path)], p.Path[0]), p.Checkpoint},
		"a checkpoint of others": {p.Leaf, p.Index, p.Path, m.sign(t, testSigner(t, 2), nil)},
		"a changed checkpoint":   {p.Leaf, p.Index, p.Path, bytes.Replace(p.Checkpoint, []byte("\n11\n"), []byte("\n12\n"), 1)},
	} {
		if out, err := run(bad.Marshal()); err == nil {
			t.Errorf("%s passed:\n%s", name, out)
		}
		if _, _, err := s.Log().Verify(bad); err == nil {
			t.Errorf("%s passed Verify", name)
		}
	}
}
