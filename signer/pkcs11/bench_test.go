//go:build cgo

package pkcs11

import (
	"context"
	"crypto"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/saoy/saoy/signer/signertest"
)

// BenchmarkSessions compares signing through this package with the module's own C_SignInit
// and C_Sign in as many sessions, in turns: what sessions, contexts and re-login cost.
func BenchmarkSessions(b *testing.B) {
	h := softHSM(b)
	for _, kind := range []signertest.KeyType{signertest.RSA2048, signertest.P256} {
		cfg, _ := h.put(b, func(f *signertest.Profile) { f.KeyType = kind })
		token := open(b, cfg)
		for _, sessions := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("%s/%d", kind, sessions), func(b *testing.B) { benchSessions(b, token, sessions) })
		}
	}
}

func benchSessions(b *testing.B, token *Token, sessions int) {
	const turn = 200 * time.Millisecond
	digest := make([]byte, 32)
	id := token.Identity()
	mechanism, input, err := (&key{token: token, public: id.Key.Public()}).mechanism(digest, crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	handles := make([]pkcs11.SessionHandle, sessions)
	for i := range handles {
		if handles[i], err = token.module.OpenSession(token.link.slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
			b.Fatal(err)
		}
	}
	var raw, ours []float64
	for b.Loop() {
		raw = append(raw, rate(b, sessions, turn, func(i int) error {
			if err := token.module.SignInit(handles[i], []*pkcs11.Mechanism{mechanism}, token.link.key); err != nil {
				return err
			}
			_, err := token.module.Sign(handles[i], input)
			return err
		}))
		ours = append(ours, rate(b, sessions, turn, func(int) error {
			_, err := id.Key.Sign(context.Background(), digest, crypto.SHA256)
			return err
		}))
	}
	for _, s := range handles {
		_ = token.module.CloseSession(s)
	}
	slices.Sort(raw)
	slices.Sort(ours)
	b.ReportMetric(raw[len(raw)/2], "raw/s")
	b.ReportMetric(ours[len(ours)/2], "ours/s")
	b.ReportMetric(ours[len(ours)/2]/raw[len(raw)/2], "ours/raw")
}

// rate is how often a second something is done by several at once.
func rate(b *testing.B, workers int, turn time.Duration, once func(worker int) error) float64 {
	var done atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for i := range workers {
		group.Go(func() {
			for time.Since(start) < turn {
				if err := once(i); err != nil {
					b.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	return float64(done.Load()) / time.Since(start).Seconds()
}
