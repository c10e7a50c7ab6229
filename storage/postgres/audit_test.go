package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/storagetest"
)

// Events that are added while the chain is made are chained once each, in whatever order the
// chainers come.
func TestAuditIsChainedOnce(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if err := s.Record(t.Context(), storage.AuditEvent{Kind: storage.AuditView, Action: "x", Phase: storage.AuditDone, Agency: o.Agency}); err != nil {
					t.Error(err)
				}
				if _, err := s.ChainAudit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := s.ChainAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, waiting, _, err := s.AuditCounts(t.Context())
	head, _, headErr := s.AuditHead(t.Context())
	if err != nil || headErr != nil || waiting != 0 || head.Size != events || events < 40 {
		t.Errorf("%d events, %d wait, %d chained, %v %v", events, waiting, head.Size, err, headErr)
	}
	var before certcopy.Digest
	seen := map[int64]bool{}
	for b, err := range s.AuditBatches(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		hash, err := storage.ChainHash(before, b.Events)
		if err != nil || hash != b.Hash {
			t.Errorf("batch %d: %v", b.Seq, err)
		}
		before = b.Hash
		for _, e := range b.Events {
			if seen[e.ID] {
				t.Errorf("event %d twice", e.ID)
			}
			seen[e.ID] = true
		}
	}
}

// BenchmarkAudit walks copies from the counter to the release with the triggers of the audit and
// without, in turns of one run, and reports the ratio.
func BenchmarkAudit(b *testing.B) {
	_, o := storagetest.NewOffice(b, true)
	var took [2]time.Duration
	for b.Loop() {
		for i, mode := range []string{"ENABLE", "DISABLE"} {
			for _, trigger := range []string{"copy " + mode + " TRIGGER audit_copy", "request " + mode + " TRIGGER audit_request", "artifact " + mode + " TRIGGER audit_signature"} {
				execute(b, o, "ALTER TABLE "+trigger)
			}
			start := time.Now()
			for range 20 {
				if _, err := o.Walk(b.Context(), certcopy.Released); err != nil {
					b.Fatal(err)
				}
			}
			took[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(took[0])/float64(took[1]), "with/without")
	b.ReportMetric(float64(took[0].Milliseconds())/float64(20*b.N), "ms/copy")
}
