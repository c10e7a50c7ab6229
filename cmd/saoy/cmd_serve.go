package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/demo"
)

const defaultListen = "127.0.0.1:8080"

// serveCommand serves the sites and does the work.
type serveCommand struct {
	Config
}

// Run serves until interrupted, then lets what is running finish.
func (c serveCommand) Run(ctx context.Context) error {
	config, err := c.load()
	if err != nil {
		return err
	}
	if !config.Production && !config.loopback() {
		return certcopy.Errorf(certcopy.Invalid, "listen", nil, certcopy.Msg(
			"Bản trình diễn chỉ mở trên máy này (127.0.0.1): ai vào được trang cũng có thể chứng thực mọi thứ. Hãy bỏ --listen.",
			"A demonstration serves this machine only (127.0.0.1): whoever reaches it can have anything certified. Leave --listen out."))
	}
	started := time.Now()
	listener, err := listen(ctx, config)
	if err != nil {
		return err
	}
	defer listener.Close()
	a, err := open(ctx, config, alone)
	if err != nil {
		return err
	}
	defer a.close()
	if a.local != nil {
		if err := a.place.writeRunFile(runFile{PID: os.Getpid(), DSN: a.local.DSN(), URL: "http://" + config.Listen}); err != nil {
			return err
		}
	}
	if err := a.probeStores(ctx); err != nil {
		return err
	}
	return a.run(ctx, listener, started)
}

// listen opens the address of the sites.
func listen(ctx context.Context, c Config) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err == nil {
		return listener, nil
	}
	// Perhaps it is ours: say who holds the directory rather than that a port is taken.
	if r, ok := c.place().holder(); ok {
		return nil, heldBy(c.Data, r)
	}
	return nil, certcopy.Errorf(certcopy.Unavailable, c.Listen, err, certcopy.Msg(
		"Không mở được địa chỉ này. Hãy dừng chương trình đang dùng nó, hoặc chọn địa chỉ khác bằng --listen.",
		"This address cannot be listened on. Stop the program that uses it, or choose another with --listen."))
}

// run does what this process's parts do, until ctx ends and what is running has finished.
func (a *app) run(ctx context.Context, listener net.Listener, started time.Time) error {
	handler, err := a.sites()
	if err != nil {
		return err
	}
	stop := a.startWork(ctx)
	defer stop()
	if a.config.runs(roleOffice) || a.config.runs(roleAPI) || a.config.runs(rolePublic) {
		go a.previews.warm(ctx)
	}
	if err := a.serveMetrics(ctx); err != nil {
		return err
	}
	if err := a.greet(started); err != nil {
		return err
	}
	return a.serve(ctx, listener, handler)
}

// serve answers until ctx ends or the private server dies under it.
func (a *app) serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-a.ledgerGone():
		return errors.New("the private PostgreSQL server has stopped; see postgres.log in the data directory")
	case <-ctx.Done():
	}
	a.draining.Store(true)
	time.Sleep(a.config.DrainDelay) // the balancer asks /readyz meanwhile
	drain, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return server.Shutdown(drain)
}

// greet prints where the sites are and, in a demonstration, how to sign in.
func (a *app) greet(started time.Time) error {
	fmt.Printf("Saoy đang chạy / is running: http://%s   (%s; %.1f s)\n", a.config.Listen, strings.Join(a.config.Roles, ", "), time.Since(started).Seconds())
	if a.authority == nil {
		return nil
	}
	password, err := a.authority.Password()
	if err != nil {
		return err
	}
	fmt.Printf(`BẢN TRÌNH DIỄN, KHÔNG CÓ GIÁ TRỊ PHÁP LÝ / DEMONSTRATION, NO LEGAL VALUE
Đăng nhập / sign in: http://%s/office
  %-12s tiếp nhận / clerk
  %-12s người thực hiện chứng thực / certifier
  %-12s văn thư / seal keeper
  %-12s quản trị / administrator
Mật khẩu chung / common password: %s
Ctrl-C để dừng / to stop.
`, a.config.Listen, demo.ClerkLogin, demo.CertifierLogin, demo.SealKeeperLogin, demo.AdminLogin, password)
	return nil
}

// ledgerGone is closed when the private server has ended; nil, so never, without one.
func (a *app) ledgerGone() <-chan struct{} {
	if a.local == nil {
		return nil
	}
	return a.local.Done()
}
