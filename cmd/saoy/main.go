// Command saoy certifies electronic copies of paper originals and verifies them. One binary
// holds the service and every tool around it; each command has a file of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
)

// commands is the command line. A command's Run method gets the context that ends on
// interrupt; what it returns becomes the exit status.
type commands struct {
	Serve     serveCommand     `cmd:"" help:"Serve the sites and do the work. Everything in one process by default."`
	Certify   certifyCommand   `cmd:"" help:"Certify scans as one copy, the whole way, on the embedded default."`
	Verify    verifyCommand    `cmd:"" help:"Verify files: were they changed after signing, and who signed them."`
	Annul     annulCommand     `cmd:"" help:"Declare an issued copy without legal value, by a decision."`
	Void      voidCommand      `cmd:"" help:"Void the number of a copy that was never issued."`
	Erase     eraseCommand     `cmd:"" help:"Erase a copy's file and private facts; number, digest and log stay."`
	Retention retentionCommand `cmd:"" help:"Set and carry out how long files and personal data are kept."`
	Audit     auditCommand     `cmd:"" help:"Print the audit: who used a key, saw, changed or took out what, and who signed in."`
	Fsck      fsckCommand      `cmd:"" help:"Check everything stored against everything else."`
	Backup    backupCommand    `cmd:"" help:"Copy the whole installation to another place, beside a running serve."`
	BackupKey backupKeyCommand `cmd:"" name:"backup-key" help:"Make the key with which encrypted backups are read."`
	Restore   restoreCommand   `cmd:"" help:"Put a backup back into an empty place."`
	Accept    acceptCommand    `cmd:"" name:"accept-restore" help:"Decide to go on with a restored installation, and from which numbers."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the database to this program's schema."`
	Doctor    doctorCommand    `cmd:"" help:"Try what an operator provides for each property the product relies on."`
	Agency    agencyCommand    `cmd:"" help:"Open and look after agencies."`
	User      userCommand      `cmd:"" help:"Look after the people of an agency."`
	Authorise authoriseCommand `cmd:"" help:"Record the decision by which an official may certify or seal."`
	Token     tokenCommand     `cmd:"" help:"Make an access token for a client system of the API."`
	Sign      signCommand      `cmd:"" help:"Sign a PDF file by PAdES, with any key."`
	Extend    extendCommand    `cmd:"" help:"Lift the signatures of a file to a higher level, or renew its archive time-stamp."`
	Key       keyCommand       `cmd:"" help:"Make and look after signing keys."`
	Bench     benchCommand     `cmd:"" help:"Measure this machine."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// Exit statuses beside 0. A command says which of them mean what.
const (
	exitFailed   = 1 // it did not work, or it found something
	exitUnusable = 2 // the command line or the input could not be used
)

// exitError carries an exit status; its message has been printed already if it is empty.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func main() {
	confine.Main(intake.Tasks(), verify.Tasks, picture.Tasks())
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	parser := kong.Must(&c, kong.Name("saoy"), kong.UsageOnError(),
		kong.Description("Sao y: chứng thực bản sao điện tử. Electronic certified copies."),
		kong.Exit(func(status int) {
			if status != 0 {
				status = exitUnusable
			}
			os.Exit(status)
		}),
		kong.BindTo(ctx, (*context.Context)(nil)))
	command, err := parser.Parse(args)
	if told := new(certcopy.Error); errors.As(err, &told) { // of the configuration
		fmt.Fprintln(os.Stderr, report(told))
		return exitUnusable
	}
	parser.FatalIfErrorf(err)
	err = command.Run()
	if err == nil {
		return 0
	}
	if text := report(err); text != "" {
		fmt.Fprintln(os.Stderr, text)
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.status
	}
	return exitFailed
}

// report is what a person at the terminal reads of an error: the words made for people, if
// there are any, then the cause.
func report(err error) string {
	var e *certcopy.Error
	if !errors.As(err, &e) || e.Message == (certcopy.Message{}) {
		if err.Error() == "" {
			return ""
		}
		return "saoy: " + err.Error()
	}
	text := "saoy: " + e.Message.VI + "\nsaoy: " + e.Message.EN
	if e.Subject != "" {
		text = "saoy: " + e.Subject + "\n" + text
	}
	if e.Err != nil {
		text += "\nsaoy: " + e.Err.Error()
	}
	return text
}
