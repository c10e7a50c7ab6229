package pades

import (
	"fmt"

	"github.com/saoy/saoy/signer/pdf"
)

// required bits of /Ff of a seed value dictionary (ISO 32000-2 Table 237)
const (
	seedFilter           = 1 << 0
	seedSubFilter        = 1 << 1
	seedReasons          = 1 << 3
	seedLegalAttestation = 1 << 4
	seedDigestMethod     = 1 << 6
)

// checkSeed refuses a field whose seed value requires what this signature would not have.
// Wishes that are not marked required are passed over, as the standard lets them be.
func (o *Options) checkSeed(r *pdf.Reader, x field) error {
	seed, err := r.Dict(x.dict.Get("SV"))
	if err != nil || seed == nil {
		return err
	}
	hash, err := o.hash()
	if err != nil {
		return err
	}
	flags, _ := seed.Int("Ff")
	digest := map[string]string{"SHA-256": "SHA256", "SHA-384": "SHA384", "SHA-512": "SHA512"}[hash.String()]
	for _, c := range []struct {
		bit  int64
		key  pdf.Name
		have string
	}{
		{seedFilter, "Filter", "Adobe.PPKLite"},
		{seedSubFilter, "SubFilter", "ETSI.CAdES.detached"},
		{seedReasons, "Reasons", o.Reason},
		{seedLegalAttestation, "LegalAttestation", ""},
		{seedDigestMethod, "DigestMethod", digest},
	} {
		if flags&c.bit == 0 {
			continue
		}
		if err := seedAllows(r, seed.Get(c.key), c.have); err != nil {
			return fmt.Errorf("%w: %q: its seed value /%s: %w", ErrField, x.name, c.key, err)
		}
	}
	return nil
}

// seedAllows reports whether a name or text is the one asked for, or one of an array.
func seedAllows(r *pdf.Reader, wanted pdf.Object, have string) error {
	v, err := r.Resolve(wanted)
	if err != nil {
		return err
	}
	options, ok := v.(pdf.Array)
	if !ok {
		options = pdf.Array{v}
	}
	for _, option := range options {
		if option, err = r.Resolve(option); err != nil {
			return err
		}
		switch t := option.(type) {
		case pdf.Name:
			if string(t) == have {
				return nil
			}
		case pdf.String:
			if t.Text() == have {
				return nil
			}
		case pdf.Null:
			return nil
		}
	}
	return fmt.Errorf("%q is not among what it requires", have)
}
