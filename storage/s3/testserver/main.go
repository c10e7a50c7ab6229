// Command testserver is the S3 server of the tests: versitygw on a directory, with
// versioning, object lock and conditional puts. It is a module of its own so that what it
// needs stays out of the product.
//
// It listens on a free port of this machine, over TLS if it is given a certificate, prints
// its address once it answers, and ends as by a crash when its standard input does: however
// the test that started it ends, it does not stay.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	dir := flag.String("dir", "", "directory of the objects; with extended attributes")
	cert := flag.String("cert", "", "TLS certificate (PEM); needs -key")
	key := flag.String("key", "", "TLS key (PEM)")
	address := flag.String("listen", "127.0.0.1:0", "address")
	remove := flag.Bool("remove", false, "remove the directory at the end")
	flag.Parse()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		if *remove {
			_ = os.RemoveAll(*dir)
		}
		os.Exit(0)
	}()
	if err := serve(*dir, *address, *cert, *key); err != nil {
		fmt.Fprintln(os.Stderr, "testserver:", err)
		os.Exit(1)
	}
}

func serve(dir, address, cert, key string) error {
	ready := os.Stdout
	os.Stdout = os.Stderr // what the gateway prints is not the address
	address, err := free(address)
	if err != nil {
		return err
	}
	objects, versions := filepath.Join(dir, "objects"), filepath.Join(dir, "versions")
	if err := errors.Join(os.MkdirAll(objects, 0o700), os.MkdirAll(versions, 0o700)); err != nil {
		return err
	}
	store, err := posix.New(objects, meta.XattrMeta{}, posix.PosixOpts{VersioningDir: versions})
	if err != nil {
		return err
	}
	go announce(ready, address)
	return embedgw.RunVersityGW(context.Background(), store, &embedgw.Config{
		RootUserAccess: os.Getenv("AWS_ACCESS_KEY_ID"), RootUserSecret: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		Ports: []string{address}, CertFile: cert, KeyFile: key,
		Quiet: true, KeepAlive: true, MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10000,
	})
}

// free picks the port, so that it can be announced.
func free(address string) (string, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// announce prints the address once the server answers.
func announce(w io.Writer, address string) {
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			fmt.Fprintln(w, address)
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}
