package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pkcs11"
	"github.com/saoy/saoy/signer/softkey"
)

// keyCeremonyCommand makes a key, or takes one that was made in a token, before witnesses.
// Everything goes into one new directory: key file, public key, certificate request, the
// record, and a signature of the new key over the record.
type keyCeremonyCommand struct {
	subjectFlags
	Type     string   `help:"Type of the key: ${enum}." enum:"P-256,P-384,RSA-2048,RSA-3072,RSA-4096" default:"RSA-3072"`
	PKCS11   string   `help:"The key was made in this token instead: its URI." name:"pkcs11" placeholder:"URI"`
	PassEnv  []string `help:"Environment variable with the passphrase; repeated: its parts, each known to one person." placeholder:"VARIABLE"`
	PinEnv   string   `help:"Environment variable with the PIN of the token." placeholder:"VARIABLE"`
	Place    string   `help:"Where the ceremony is held." required:"" placeholder:"PLACE"`
	Purpose  string   `help:"What the key is for." required:"" placeholder:"TEXT"`
	Operator string   `help:"Who operates: name and office." required:"" placeholder:"PERSON"`
	Witness  []string `help:"Who witnesses: name and office; may be repeated." required:"" sep:"none" placeholder:"PERSON"`
	Dir      string   `arg:"" help:"Directory to be made."`
}

// Run holds the ceremony. DIR appears whole, or not at all.
func (c keyCeremonyCommand) Run(ctx context.Context) error {
	record, err := c.hold(ctx)
	if err != nil {
		return explain(c.Dir, err)
	}
	fmt.Printf("%s\n  SHA-256 %s\n  Hãy in biên bản, ghi mã SHA-256 này lên bản in, và mọi người cùng ký.\n"+
		"  Print the record, write this SHA-256 on the paper, and let everyone sign it.\n", filepath.Join(c.Dir, recordFile), fingerprint(record))
	return nil
}

// Files of a ceremony.
const (
	ceremonyKeyFile = "key.p12"
	publicFile      = "public.pem"
	requestFile     = "request.pem"
	recordFile      = "record.txt"
	signatureFile   = "record.sig"
)

func (c keyCeremonyCommand) hold(ctx context.Context) (record []byte, err error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(c.Dir); err == nil {
		return nil, alreadyThere(c.Dir)
	}
	aside, err := os.MkdirTemp(filepath.Dir(c.Dir), ".saoy-*") // mode 0700
	if err != nil {
		return nil, notWritable(c.Dir, err)
	}
	defer os.RemoveAll(aside)
	s := &ceremony{keyCeremonyCommand: c, dir: aside, start: time.Now()}
	if err := s.perform(ctx); err != nil {
		return nil, err
	}
	if err := os.Rename(aside, c.Dir); err != nil {
		return nil, notWritable(c.Dir, err)
	}
	return s.record, nil
}

// validate refuses texts that are missing, and those that could write lines of the record.
func (c keyCeremonyCommand) validate() error {
	for _, text := range append([]string{c.Operator, c.Place, c.Purpose, c.CN}, c.Witness...) {
		if strings.TrimSpace(text) == "" {
			return certcopy.Errorf(certcopy.Invalid, "", nil, certcopy.Msg(
				"Thiếu tên khóa, nơi, mục đích hoặc tên người tham gia.", "The name of the key, the place or the purpose is missing, or someone has no name."))
		}
		if strings.ContainsFunc(text, unicode.IsControl) {
			return certcopy.Errorf(certcopy.Invalid, strconv.Quote(text), nil, certcopy.Msg(
				"Có ký tự điều khiển hoặc xuống dòng trong thông tin của biên bản.", "There are control characters or line breaks in what goes into the record."))
		}
	}
	return nil
}

// ceremony is one that is under way.
type ceremony struct {
	keyCeremonyCommand
	dir    string
	start  time.Time
	key    signer.Key
	steps  []string
	files  []string
	record []byte
}

func (s *ceremony) perform(ctx context.Context) error {
	subject, err := s.rawSubject()
	if err != nil {
		return err
	}
	done, err := s.makeKey()
	if err != nil {
		return err
	}
	defer done()
	request, err := newRequest(ctx, s.key, subject, one(s.Email))
	if err != nil {
		return err
	}
	if err := s.write(requestFile, request, "Lập yêu cầu cấp chứng thư và kiểm tra chữ ký của yêu cầu", "certificate request made, its signature verified"); err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		return err
	}
	if err := s.write(publicFile, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "Xuất khóa công khai", "public key exported"); err != nil {
		return err
	}
	return s.close(ctx, fingerprint(der))
}

// makeKey makes the key file and reads it back, or opens the token's key.
func (s *ceremony) makeKey() (func(), error) {
	if s.PKCS11 != "" {
		return s.openToken()
	}
	passphrase, err := newPassphrase(s.PassEnv)
	if err != nil {
		return nil, err
	}
	subject, err := s.name()
	if err != nil {
		return nil, err
	}
	private, err := generateKey(s.Type)
	if err != nil {
		return nil, err
	}
	s.step("Tạo khóa bằng bộ sinh số ngẫu nhiên của hệ điều hành", "key generated from the operating system's random source")
	id, err := withPlaceholder(private, subject, s.Email, s.start)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, ceremonyKeyFile)
	if err := softkey.Save(path, id, passphrase); err != nil {
		return nil, err
	}
	s.step(fmt.Sprintf("Ghi tệp khóa, mã hóa AES-256, mật khẩu gồm %d phần", len(s.PassEnv)),
		fmt.Sprintf("key file written, encrypted with AES-256, passphrase in %d part(s)", len(s.PassEnv)))
	s.files = append(s.files, ceremonyKeyFile)
	back, err := softkey.Open(path, passphrase)
	if err != nil {
		return nil, err
	}
	s.key = back.Key
	s.step("Đọc lại tệp khóa bằng mật khẩu; mọi chữ ký dưới đây dùng khóa đọc lại", "key file read back; everything signed below is signed with what was read")
	return func() {}, nil
}

func (s *ceremony) openToken() (func(), error) {
	cfg, err := keyFlags{PKCS11: s.PKCS11, PinEnv: s.PinEnv}.tokenConfig()
	if err != nil {
		return nil, err
	}
	token, key, err := pkcs11.OpenKey(cfg)
	if err != nil {
		return nil, err
	}
	s.key, s.Type = key, keyType(key.Public())
	s.step("Mở khóa trong thiết bị và ký thử; khóa riêng không rời thiết bị", "key in the token opened and tried; the private key does not leave the token")
	return func() { _ = token.Close() }, nil
}

func (s *ceremony) step(vi, en string) {
	s.steps = append(s.steps, fmt.Sprintf("%s  %s\n          / %s", time.Now().Format("15:04:05"), vi, en))
}

func (s *ceremony) write(name string, b []byte, vi, en string) error {
	if err := writeNew(filepath.Join(s.dir, name), b, 0o644); err != nil {
		return err
	}
	s.files = append(s.files, name)
	s.step(vi, en)
	return nil
}

// close writes the record and has the new key sign it.
func (s *ceremony) close(ctx context.Context, public string) error {
	text, err := s.text(public)
	if err != nil {
		return err
	}
	s.record = text
	if err := writeNew(filepath.Join(s.dir, recordFile), text, 0o444); err != nil {
		return err
	}
	alg, err := cms.AlgorithmFor(s.key.Public(), false)
	if err != nil {
		return err
	}
	alg.Hash = crypto.SHA256
	digest := sha256.Sum256(text)
	signature, err := s.key.Sign(ctx, digest[:], alg.SignerOpts())
	if err != nil {
		return err
	}
	if err := alg.Verify(s.key.Public(), digest[:], signature); err != nil {
		return err
	}
	return writeNew(filepath.Join(s.dir, signatureFile), signature, 0o444)
}

// text is the record.
func (s *ceremony) text(public string) ([]byte, error) {
	subject, err := s.name()
	if err != nil {
		return nil, err
	}
	machine, program := thisMachine()
	kept := "tệp PKCS #12 mã hóa / encrypted PKCS #12 file: " + ceremonyKeyFile
	if s.PKCS11 != "" {
		kept = "thiết bị / token: " + s.PKCS11
	}
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("BIÊN BẢN TẠO KHÓA KÝ SỐ\nRECORD OF A KEY CEREMONY\n")
	line("Thời điểm / Time:        %s  (UTC %s)", s.start.Format("2006-01-02 15:04:05 -07:00"), s.start.UTC().Format("2006-01-02 15:04:05"))
	line("Nơi / Place:             %s", s.Place)
	line("Mục đích / Purpose:      %s", s.Purpose)
	line("Máy / Machine:           %s", machine)
	line("Chương trình / Program:  %s", program)
	line("\n1. KHÓA / KEY\n")
	line("Loại / Type:             %s", s.Type)
	line("Nơi giữ / Kept in:       %s", kept)
	line("Chủ thể / Subject:       %s", subject.String())
	line("SHA-256 của khóa công khai (SubjectPublicKeyInfo) / of the public key:\n  %s", grouped(public))
	line("\n2. VIỆC ĐÃ LÀM / WHAT WAS DONE\n\n%s", strings.Join(s.steps, "\n"))
	line("\n3. TỆP / FILES (SHA-256)\n")
	for _, name := range s.files {
		data, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			return nil, err
		}
		line("%s  %s  (%d byte)", fingerprint(data), name, len(data))
	}
	line("\n4. NGƯỜI THAM GIA / WHO TOOK PART\n")
	s.people(line)
	line("5. KIỂM TRA / TO CHECK\n")
	line("Khóa mới ký lên biên bản này / The new key has signed this record:")
	line("  openssl dgst -sha256 -verify %s -signature %s %s", publicFile, signatureFile, recordFile)
	return b.Bytes(), nil
}

func (s *ceremony) people(line func(string, ...any)) {
	sign := "    Ký tên / Signature: ______________________   Ngày / Date: ____________\n"
	line("Người thực hiện / Operator: %s\n%s", s.Operator, sign)
	for _, w := range s.Witness {
		line("Người chứng kiến / Witness: %s\n%s", w, sign)
	}
}

// thisMachine names the machine and the program that runs, by its digest.
func thisMachine() (machine, program string) {
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	machine = fmt.Sprintf("%s, %s/%s", host, runtime.GOOS, runtime.GOARCH)
	program = "saoy " + version()
	if path, err := os.Executable(); err == nil {
		if sum, err := fileSum(path); err == nil {
			program += "\n                         SHA-256 " + sum
		}
	}
	return machine, program
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = f.WriteTo(h)
	return fmt.Sprintf("%x", h.Sum(nil)), errors.Join(err, f.Close())
}

// grouped writes hexadecimal so that it can be read aloud.
func grouped(s string) string {
	var parts []string
	for ; len(s) > 4; s = s[4:] {
		parts = append(parts, s[:4])
	}
	return strings.Join(append(parts, s), " ")
}
