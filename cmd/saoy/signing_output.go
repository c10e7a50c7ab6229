package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/saoy/saoy/internal/certcopy"
)

// fileFlags are the files of sign and extend, and what is said about them.
type fileFlags struct {
	AcceptLower bool   `help:"If the level cannot be reached because an authority or a revocation service fails, make the file at the level that can, say so, and exit with status 3. Not if a certificate is at fault."`
	Force       bool   `help:"Replace an existing OUT."`
	JSON        bool   `help:"Print exactly one JSON object on standard output."`
	In          string `arg:"" name:"in" help:"PDF file."`
	Out         string `arg:"" name:"out" help:"The new file: IN, byte for byte, and an addition."`
}

// inputFile is a regular file that is read while it stays where it is.
type inputFile struct {
	*os.File
	info fs.FileInfo
}

func openInput(name string) (*inputFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, certcopy.Errorf(certcopy.NotFound, name, err, certcopy.Msg(
			"Không mở được tệp. Hãy kiểm tra tên tệp và quyền đọc.", "The file cannot be opened. Check its name and whether you may read it."))
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, errors.Join(certcopy.Errorf(certcopy.Invalid, name, err, certcopy.Msg(
			"Đây không phải là tệp thường.", "This is not a regular file.")), f.Close())
	}
	return &inputFile{f, info}, nil
}

// outputFile is written aside and appears under its name whole, or not at all.
type outputFile struct {
	*os.File
	ctx     context.Context // ends the writing of a large file
	name    string
	replace bool
}

// newOutput begins the file that is to appear as name. It refuses to write over in, and over
// any file unless replace is set. The mode will be that of in: who could read the one may
// read the other.
func newOutput(ctx context.Context, in *inputFile, name string, replace bool) (*outputFile, error) {
	if err := mayWrite(in, name, replace); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".saoy-*")
	if err != nil {
		return nil, notWritable(name, err)
	}
	o := &outputFile{f, ctx, name, replace}
	if err := f.Chmod(in.info.Mode().Perm() | 0o200); err != nil {
		o.discard()
		return nil, notWritable(name, err)
	}
	return o, nil
}

func mayWrite(in *inputFile, name string, replace bool) error {
	if there, err := os.Stat(name); err == nil && os.SameFile(there, in.info) {
		return certcopy.Errorf(certcopy.Invalid, name, nil, certcopy.Msg(
			"Tệp kết quả trùng với tệp nguồn. Hãy chọn tên khác.", "The output is the input itself. Choose another name."))
	}
	there, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return notWritable(name, err)
	case !there.Mode().IsRegular():
		return notWritable(name, errors.New("there is something there that is not a regular file"))
	case !replace:
		return alreadyThere(name)
	}
	return nil
}

func alreadyThere(name string) error {
	return certcopy.Errorf(certcopy.Conflict, name, nil, certcopy.Msg(
		"Đã có tệp mang tên này; nó không bị thay đổi. Hãy chọn tên khác, hoặc dùng --force.",
		"A file of this name exists; it was left as it is. Choose another name, or use --force."))
}

func notWritable(name string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG) {
		return certcopy.Errorf(certcopy.Unavailable, name, err, certcopy.Msg(
			"Hết dung lượng đĩa, hoặc vượt giới hạn kích thước tệp. Chưa có tệp kết quả nào được ghi.", "The disk is full, or a limit on the size of files was met. No output was written."))
	}
	return certcopy.Errorf(certcopy.Invalid, name, err, certcopy.Msg(
		"Không ghi được tệp kết quả. Hãy kiểm tra thư mục, quyền ghi và dung lượng còn trống.",
		"The output cannot be written. Check the directory, your right to write there, and the free space."))
}

// Write writes on, unless the command was interrupted.
func (o *outputFile) Write(p []byte) (int, error) {
	if err := context.Cause(o.ctx); err != nil {
		return 0, err
	}
	n, err := o.File.Write(p)
	if err != nil {
		err = notWritable(o.name, err)
	}
	return n, err
}

// ReadFrom hides that of the file, which would not stop when the context ends.
func (o *outputFile) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{o}, r)
}

// commit makes the file durable and gives it its name.
func (o *outputFile) commit() error {
	if err := errors.Join(o.Sync(), o.Close()); err != nil {
		return notWritable(o.name, err)
	}
	if err := o.appear(); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return alreadyThere(o.name)
		}
		return notWritable(o.name, err)
	}
	dir, err := os.Open(filepath.Dir(o.name))
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// appear gives the file its name. A hard link, unlike a rename, cannot replace a file that
// came into being meanwhile; where there are none, the moment in between is accepted.
func (o *outputFile) appear() error {
	if o.replace {
		return os.Rename(o.File.Name(), o.name)
	}
	err := os.Link(o.File.Name(), o.name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(o.name); err == nil {
		return fs.ErrExist
	}
	return os.Rename(o.File.Name(), o.name)
}

// discard removes what was written aside; after commit there is nothing left to remove.
func (o *outputFile) discard() {
	_ = o.Close()
	_ = os.Remove(o.File.Name())
}
