package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/saoy/saoy/internal/certcopy"
)

// ErrMode: the data directory was made by a user, or in a way, that this process cannot use.
var ErrMode = errors.New("data directory made by another user")

// The ways in which a server is run. PostgreSQL refuses to run as root, so root runs it in a
// user namespace, in which it is somebody else while its files stay root's; where namespaces
// are forbidden, as another user; where that user may not pass through the directories above,
// as he must in root's home, he is given the capability to.
const (
	plain         = "plain"
	userNamespace = "userns"
	otherUser     = "setuid"
	passingUser   = "setuid-passing"
)

// capDACOverride lets a process enter directories that are not open to it (capabilities(7)).
const capDACOverride = 1

// mode is one of the ways, with the user it means.
type mode struct {
	kind     string
	uid, gid int
}

// String is the form in which the mode is recorded in the directory.
func (m mode) String() string { return fmt.Sprintf("%s %d", m.kind, m.uid) }

// attributes make the child die with its parent, keep the terminal's signals from it, and
// give it a user that PostgreSQL accepts.
func (m mode) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	switch m.kind {
	case userNamespace:
		a.Cloneflags = syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: m.uid, HostID: 0, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: m.gid, HostID: 0, Size: 1}}
		a.Credential = &syscall.Credential{Uid: uint32(m.uid), Gid: uint32(m.gid), NoSetGroups: true}
	case passingUser:
		a.AmbientCaps = []uintptr{capDACOverride}
		fallthrough
	case otherUser:
		a.Credential = &syscall.Credential{Uid: uint32(m.uid), Gid: uint32(m.gid)}
	}
	return a
}

// another reports whether the server's files belong to another user than this process's.
func (m mode) another() bool { return m.kind == otherUser || m.kind == passingUser }

// own gives a path to the user who will run the server.
func (m mode) own(path string) error {
	if !m.another() {
		return nil
	}
	return os.Chown(path, m.uid, m.gid)
}

// record writes the mode into the directory.
func (m mode) record(dir string) error {
	return os.WriteFile(filepath.Join(dir, "mode"), []byte(m.String()+"\n"), 0o600)
}

// chooseMode returns the mode the directory was made in, or for a new one the best of those
// that work here.
func chooseMode(ctx context.Context, dir, bin string) (mode, error) {
	recorded, err := os.ReadFile(filepath.Join(dir, "mode"))
	_, made := os.Stat(filepath.Join(dir, "data", "PG_VERSION"))
	isNew, want := err != nil || made != nil, strings.TrimSpace(string(recorded))
	for _, m := range modes() {
		if (isNew || m.String() == want) && m.runs(ctx, dir, bin) {
			return m, nil
		}
	}
	if isNew {
		return mode{}, noMode(dir)
	}
	return mode{}, wrongMode(dir, want)
}

// namespaces is false in tests of machines that forbid them.
var namespaces = true

// modes lists what this process may try, the best first.
func modes() []mode {
	if uid := os.Geteuid(); uid != 0 {
		return []mode{{plain, uid, os.Getegid()}}
	}
	var all, last []mode
	for _, name := range []string{"nobody", "postgres"} {
		u, err := user.Lookup(name) // initdb asks for the name of its user
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if namespaces {
			all = append(all, mode{userNamespace, uid, gid})
		}
		all = append(all, mode{otherUser, uid, gid})
		last = append(last, mode{passingUser, uid, gid})
	}
	return append(all, last...)
}

// runs tries the mode: can a child of it start the server's program and enter the directory?
func (m mode) runs(ctx context.Context, dir, bin string) bool {
	if m.prepare(dir) != nil {
		return false
	}
	// Capabilities are there only after the exec, so the directory is entered by a shell.
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `cd "$0" && exec "$1" --version`, dir, filepath.Join(bin, "postgres"))
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", serverEnvironment(), m.attributes()
	return cmd.Run() == nil
}

// prepare lets another user pass through the directory, which holds nothing readable to him.
func (m mode) prepare(dir string) error {
	if !m.another() {
		return nil
	}
	return os.Chmod(dir, 0o711) //nolint:gosec // passing through is what it is for
}

func noMode(dir string) error {
	return certcopy.Errorf(certcopy.Unavailable, dir, fmt.Errorf("%w: root cannot run PostgreSQL here in any way that was tried", ErrMode), certcopy.Msg(
		"PostgreSQL không chạy được với quyền root ở đây. Hãy chạy bằng một người dùng thường.",
		"PostgreSQL cannot be run as root here. Run as an ordinary user."))
}

func wrongMode(dir, made string) error {
	return certcopy.Errorf(certcopy.Unavailable, dir, fmt.Errorf("%w (%s; now uid %d)", ErrMode, made, os.Geteuid()), certcopy.Msg(
		"Thư mục dữ liệu được tạo bởi người dùng hoặc cách chạy khác. Hãy chạy lại bằng đúng người dùng đã tạo thư mục, hoặc chọn thư mục khác.",
		"The data directory was made by another user or in another way of running. Start again as the user who made it, or choose another directory."))
}
