package trust

import "testing"

// BenchmarkValidate judges a certificate from the evidence of a file, without a network.
func BenchmarkValidate(b *testing.B) {
	w := newWorld(b)
	cert := w.official(b)
	data, err := w.collector().Collect(b.Context(), cert, w.others())
	if err != nil {
		b.Fatal(err)
	}
	evidence := NewEvidence(data.OCSPs, data.CRLs)
	offline := Validator{Store: w.validator.Store}
	b.ReportAllocs()
	for b.Loop() {
		if err := offline.Validate(b.Context(), Question{Certificate: cert, Untrusted: w.others(), Evidence: evidence, At: w.clock(), Now: w.clock()}).Err(); err != nil {
			b.Fatal(err)
		}
	}
}
