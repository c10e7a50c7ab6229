package validation

import (
	"testing"

	"github.com/saoy/saoy/signer/pades"
)

// TestLevelOfASecondSignature: what the store held before a signature was made does not lift
// it, even if both signatures are of one certificate (as EU DSS sees it).
func TestLevelOfASecondSignature(t *testing.T) {
	o := newOffice(t)
	m := pades.Means{TimeStamper: stamper{o.pki}}
	first := o.sign(newDocument(t).data, o.person, pades.Options{Field: "certifier"}, m)
	for name, before := range map[string][]byte{"B-LT": o.store(first), "B-LTA": o.docTimestamp(o.store(first))} {
		r := validate(t, o.sign(before, o.person, pades.Options{Field: "second"}, m), o.at(o.now))
		last := r.Signatures[len(r.Signatures)-1]
		if string(r.Signatures[0].Level) != name || last.Level != LevelT {
			logReport(t, r)
			t.Errorf("after %s: %s, then %s", name, r.Signatures[0].Level, last.Level)
		}
	}
}
