package pades

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
)

// collector asks the test authority as its clients would, without the network.
var collector = CollectorFunc(func(_ context.Context, cert *x509.Certificate, _ []*x509.Certificate) (ValidationData, error) {
	issuing, root := pki().Issuing.Certificate, pki().Root.Certificate
	v := ValidationData{Certs: [][]byte{cert.Raw, issuing.Raw, root.Raw, pki().OCSP.Certificate.Raw}}
	answer, err := pki().OCSPAnswer(cert)
	if err != nil {
		return v, err
	}
	v.OCSPs = [][]byte{answer}
	for _, ca := range []*signertest.CA{pki().Issuing, pki().Root} {
		crl, err := pki().CRL(ca)
		if err != nil {
			return v, err
		}
		v.CRLs = append(v.CRLs, crl)
	}
	return v, nil
})

func means(l Level) Means { return Means{Level: l, TimeStamper: pki(), Collector: collector} }

func TestLevels(t *testing.T) {
	for name, base := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			data := signed(t, base, official(), options(), means(BLTA))
			accepted(t, data, 1)
			sigs := signatures(t, data)
			if len(sigs) != 2 || sigs[1].dict.Name("SubFilter") != "ETSI.RFC3161" || sigs[1].ranges[2]+sigs[1].ranges[3] != int64(len(data)) {
				t.Fatalf("signatures %+v", sigs)
			}
			certs, vri := storeOf(t, data)
			if certs == 0 || vri != 1 {
				t.Fatalf("%d certificates and %d VRI entries", certs, vri)
			}
		})
	}
}

// storeOf counts what the security store holds.
func storeOf(t testing.TB, data []byte) (certs, vri int) {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, catalog, _ := r.Catalog()
	d, err := r.Dict(catalog.Get("DSS"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.Array(d.Get("Certs"))
	v, _ := r.Dict(d.Get("VRI"))
	return len(a), len(v)
}

func extended(t testing.TB, base []byte, o ExtendOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Extend(t.Context(), bytes.NewReader(base), int64(len(base)), &out, o); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out.Bytes(), base) {
		t.Fatal("a byte of the base changed")
	}
	return out.Bytes()
}

func TestExtendStepByStepAndRenew(t *testing.T) {
	o := ExtendOptions{TimeStamper: pki(), Collector: collector}
	bb := signed(t, document(t, "1.7", withForm(true, true)), official(), options(), Means{})
	o.Level = BT
	bt := extended(t, bb, o)
	if n := len(signatures(t, bt)); n != 2 {
		t.Fatalf("%d signatures after B-T, want the document time-stamp that stands in for a signature time-stamp", n)
	}
	if again := extended(t, bt, o); !bytes.Equal(again, bt) {
		t.Error("extending to a level that is reached changed the file")
	}
	o.Level = BLT
	blt := extended(t, bt, o)
	first, vri := storeOf(t, blt)
	if vri != 2 {
		t.Errorf("%d VRI entries for two signatures", vri)
	}
	o.Level = BLTA
	blta := extended(t, blt, o)
	accepted(t, blta, 1)
	renewed := extended(t, blta, o)
	accepted(t, renewed, 1)
	if n := len(signatures(t, renewed)); n != 4 {
		t.Errorf("%d signatures after renewal, want 4", n)
	}
	again, vri := storeOf(t, renewed)
	if again != first || vri != 3 {
		t.Errorf("the store grew from %d to %d certificates, %d VRI entries", first, again, vri)
	}
	sealed := options()
	sealed.Field = "seal"
	accepted(t, signed(t, renewed, official(), sealed, means(BLTA)), 2)
}

func TestExtendAfterEveryLock(t *testing.T) {
	o := options()
	o.Certify = 1
	o.Lock = &Lock{Action: LockAll}
	accepted(t, signed(t, document(t, "2.0", nil), official(), o, means(BLTA)), 1)
}

func TestExtendRefuses(t *testing.T) {
	plain := document(t, "1.7", nil)
	good := signed(t, plain, official(), options(), Means{TimeStamper: pki()})
	unstamped := signed(t, plain, official(), options(), Means{})
	broken := bytes.Clone(good)
	broken[bytes.Index(broken, []byte("20 20 100"))] ^= 1
	revoked := errors.New("revoked")
	refuse := CollectorFunc(func(context.Context, *x509.Certificate, []*x509.Certificate) (ValidationData, error) {
		return ValidationData{}, revoked
	})
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		base []byte
		o    ExtendOptions
		want error
	}{
		{"no signature", t.Context(), plain, ExtendOptions{Level: BLT, Collector: collector}, ErrLevel},
		{"changed after signing", t.Context(), broken, ExtendOptions{Level: BLT, Collector: collector}, ErrSignature},
		{"no time", t.Context(), unstamped, ExtendOptions{Level: BLT, Collector: collector}, ErrLevel},
		{"no collector", t.Context(), good, ExtendOptions{Level: BLT}, ErrLevel},
		{"no authority", t.Context(), good, ExtendOptions{Level: BLTA, Collector: collector}, ErrLevel},
		{"to B-B", t.Context(), good, ExtendOptions{Level: BB}, ErrLevel},
		{"revoked", t.Context(), good, ExtendOptions{Level: BLT, Collector: refuse}, revoked},
		{"cancelled", cancelled, unstamped, ExtendOptions{Level: BT, TimeStamper: pki()}, context.Canceled},
		{"damaged", t.Context(), good[:len(good)-40], ExtendOptions{Level: BLT, Collector: collector}, pdf.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := Extend(c.ctx, bytes.NewReader(c.base), int64(len(c.base)), &out, c.o)
			if !errors.Is(err, c.want) || out.Len() != 0 {
				t.Fatalf("error %v, want %v; %d bytes written", err, c.want, out.Len())
			}
		})
	}
}

// TestRelatedDataStaysAsItWas: an entry of /VRI is never changed, so that no validator takes
// it for tampering; what is new is in the store.
func TestRelatedDataStaysAsItWas(t *testing.T) {
	base := signed(t, document(t, "1.7", nil), official(), options(), means(BLT))
	before, key := relatedData(t, base)
	certs, _ := storeOf(t, base)
	issuing := pki().Issuing.Certificate.Raw
	stranger := identity(t, signertest.P256).Certificate.Raw
	inc, err := AddValidationData(bytes.NewReader(base), int64(len(base)), ValidationData{
		VRI: map[string]ValidationData{key: {Certs: [][]byte{issuing, stranger}}}})
	if err != nil {
		t.Fatal(err)
	}
	grown := append(bytes.Clone(base), inc...)
	if after, _ := relatedData(t, grown); !bytes.Equal(before, after) {
		t.Errorf("the entry was\n%s and is\n%s", before, after)
	}
	if n, _ := storeOf(t, grown); n != certs+1 {
		t.Errorf("%d certificates in the store, want %d", n, certs+1)
	}
}

// relatedData returns the first entry of /VRI, as it is written, and its key.
func relatedData(t testing.TB, data []byte) ([]byte, string) {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, catalog, _ := r.Catalog()
	store, _ := r.Dict(catalog.Get("DSS"))
	vri, err := r.Dict(store.Get("VRI"))
	if err != nil || len(vri) == 0 {
		t.Fatalf("no /VRI: %v", err)
	}
	entry, err := r.Dict(vri[0].Value)
	if err != nil {
		t.Fatal(err)
	}
	b, err := pdf.Append(nil, entry)
	if err != nil {
		t.Fatal(err)
	}
	return b, string(vri[0].Key)
}
