package pades

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pdf"
)

func prepared(t testing.TB, base []byte, o Options) *Prepared {
	t.Helper()
	p, err := Prepare(bytes.NewReader(base), int64(len(base)), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func certified(t testing.TB, level int) []byte {
	o := options()
	o.Certify = level
	return signed(t, document(t, "1.7", withForm(true, true)), official(), o, Means{})
}

func TestEarlierSignaturesBind(t *testing.T) {
	sealed := options()
	sealed.Field = "seal"
	sign := func(base []byte, o Options) []byte { return signed(t, base, official(), o, Means{}) }
	plain := document(t, "1.7", nil)
	locked := func(l Lock) []byte {
		o := options()
		o.Lock = &l
		return sign(plain, o)
	}
	named := func(name string) Options { o := options(); o.Field = name; return o }
	certify := options()
	certify.Certify = 2
	withLock := func(permissions int) Options {
		o := options()
		o.Lock = &Lock{Action: LockInclude, Fields: []string{"x"}, Permissions: permissions}
		return o
	}
	for _, c := range []struct {
		name string
		base []byte
		o    Options
		want error
	}{
		{"certified 1, approval", certified(t, 1), sealed, ErrForbidden},
		{"certified 2, approval in existing field", certified(t, 2), sealed, nil},
		{"certified 2, approval in new field", certified(t, 2), options(), nil},
		{"certified 3, approval", certified(t, 3), sealed, nil},
		{"certified, second certification", certified(t, 2), certify, ErrForbidden},
		{"signed, then certification", sign(plain, options()), certify, ErrForbidden},
		{"all fields locked", sign(document(t, "1.7", withForm(false, true)), sealed), options(), ErrForbidden},
		{"field locked by name", locked(Lock{Action: LockInclude, Fields: []string{"a", "b"}}), named("b"), ErrForbidden},
		{"field not locked by name", locked(Lock{Action: LockInclude, Fields: []string{"a", "b"}}), named("c"), nil},
		{"field excepted from the lock", locked(Lock{Action: LockExclude, Fields: []string{"c"}}), named("c"), nil},
		{"field not excepted from the lock", locked(Lock{Action: LockExclude, Fields: []string{"c"}}), named("d"), ErrForbidden},
		{"a lock permits no change", locked(Lock{Action: LockInclude, Fields: []string{"a"}, Permissions: 1}), named("c"), ErrForbidden},
		{"a lock permits signatures", locked(Lock{Action: LockInclude, Fields: []string{"a"}, Permissions: 2}), named("c"), nil},
		{"the lock of an existing field permits no change", sign(document(t, "2.0", withForm(true, true, Lock{Action: LockInclude, Permissions: 1})), sealed), options(), ErrForbidden},
		{"the lock of an existing field permits signatures", sign(document(t, "2.0", withForm(true, true, Lock{Action: LockInclude, Permissions: 2})), sealed), options(), nil},
		{"the lock of an empty field binds nobody yet", document(t, "2.0", withForm(true, true, Lock{Action: LockInclude, Permissions: 1})), options(), nil},
		{"a lock adds permissions", certified(t, 2), withLock(3), ErrForbidden},
		{"a lock takes permissions away", certified(t, 3), withLock(2), nil},
		{"a lock of no permission there is", plain, withLock(4), ErrOptions},
		{"certification that its own lock denies", plain, func() Options { o := withLock(1); o.Certify = 2; return o }(), ErrOptions},
		{"certification as its lock", plain, func() Options { o := withLock(2); o.Certify = 2; return o }(), nil},
		{"a lock with /P 7", document(t, "2.0", withForm(true, true, Lock{Action: LockInclude, Permissions: 7})), sealed, pdf.ErrDamaged},
		{"field signed already", sign(plain, named("x")), named("x"), ErrField},
		{"not a signature field", document(t, "1.7", withForm(true, true)), named("person.họ tên"), ErrField},
		{"name of a field above", document(t, "1.7", withForm(true, true)), named("person"), ErrField},
		{"new name with a period", plain, named("a.b"), ErrField},
		{"lock on an existing field", document(t, "1.7", withForm(true, true)), func() Options { o := sealed; o.Lock = &Lock{Action: LockAll}; return o }(), ErrOptions},
		{"no such page", plain, func() Options { o := options(); o.Page = 2; return o }(), pdf.ErrNoPage},
		{"no signing time", plain, Options{}, ErrOptions},
		{"certify 4", plain, func() Options { o := options(); o.Certify = 4; return o }(), ErrOptions},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Prepare(bytes.NewReader(c.base), int64(len(c.base)), c.o)
			if !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
		})
	}
}

func TestCertifyThenSeal(t *testing.T) {
	o := options()
	o.Field = "seal"
	data := signed(t, certified(t, 2), official(), o, Means{TimeStamper: pki()})
	accepted(t, data, 2)

	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, catalog, _ := r.Catalog()
	perms, _ := r.Dict(catalog.Get("Perms"))
	sigs := signatures(t, data)
	byName := map[string]embedded{}
	for _, s := range sigs {
		byName[s.field] = s
	}
	certification, err := r.Dict(perms.Get("DocMDP"))
	if err != nil || !bytes.Equal(certification.Get("Contents").(pdf.String).Bytes, byName["Signature1"].contents) {
		t.Errorf("/Perms /DocMDP is not the certification: %v", err)
	}
	text, _ := pdf.Append(nil, byName["seal"].dict.Get("Reference"))
	if !strings.Contains(string(text), "/FieldMDP") || !strings.Contains(string(text), "/Action /All") || strings.Contains(string(text), "Digest") {
		t.Errorf("seal's references: %s", text)
	}
	form, _ := r.Dict(catalog.Get("AcroForm"))
	if v, _ := form.Int("SigFlags"); v != 3 || !form.Has("DR") || !form.Has("DA") {
		t.Errorf("form %v", form)
	}
	page, _ := r.Page(0)
	annots, _ := r.Array(page.Dict.Get("Annots"))
	if len(annots) != 4 {
		t.Errorf("%d annotations, want 3 of the base and one new: %v", len(annots), annots)
	}
}

// TestFillingAFieldChangesOnlyItsValue compares the widget before and after.
func TestFillingAFieldChangesOnlyItsValue(t *testing.T) {
	base := document(t, "1.7", withForm(false, true))
	o := options()
	o.Field = "seal"
	find := func(data []byte) pdf.Dict {
		r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		_, catalog, _ := r.Catalog()
		f, err := readForm(r, catalog)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := f.find("seal")
		return x.dict
	}
	before, after := find(base), find(signed(t, base, official(), o, Means{}))
	after.Delete("V")
	a, _ := pdf.Append(nil, before)
	b, _ := pdf.Append(nil, after)
	if !bytes.Equal(a, b) {
		t.Fatalf("widget was %s\nand is   %s", a, b)
	}
}

func TestPreparedSurvivesStorage(t *testing.T) {
	base := document(t, "1.7", nil)
	o := options()
	o.Certificate = official().Certificate
	p := prepared(t, base, o)
	stored, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if len(stored) > 16<<10 {
		t.Errorf("%d bytes are stored", len(stored))
	}
	var q Prepared
	if err := json.Unmarshal(stored, &q); err != nil {
		t.Fatal(err)
	}
	der, err := cms.Sign(t.Context(), official(), q.Digest(), cms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := q.Embed(bytes.NewReader(base), der, &out); err != nil {
		t.Fatal(err)
	}
	inc, err := p.Increment(der)
	if err != nil || !bytes.Equal(append(bytes.Clone(base), inc...), out.Bytes()) {
		t.Fatalf("Increment and Embed differ: %v", err)
	}
	if int64(out.Len()) != p.SignedSize() {
		t.Errorf("%d bytes written, SignedSize %d", out.Len(), p.SignedSize())
	}
	accepted(t, out.Bytes(), 1)
	for name, damage := range map[string][2]string{
		"version":  {`"version":1`, `"version":2`},
		"kind":     {`"kind":"signature"`, `"kind":"x"`},
		"reserved": {`"reserved":`, `"reserved":1`},
		"size":     {`"base_size":`, `"base_size":1`},
		"not JSON": {"{", ""},
	} {
		broken := strings.Replace(string(stored), damage[0], damage[1], 1)
		if err := new(Prepared).UnmarshalJSON([]byte(broken)); !errors.Is(err, ErrPrepared) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEmbedChecksBeforeItWrites gives Embed what a careless or hostile caller might.
func TestEmbedChecksBeforeItWrites(t *testing.T) {
	base := document(t, "1.7", nil)
	o := options()
	o.Certificate, o.Chain = official().Certificate, official().Chain
	p := prepared(t, base, o)
	sign := func(digest []byte, id int) []byte {
		who := official()
		if id == 1 {
			who = identity(t, "")
		}
		der, err := cms.Sign(context.Background(), who, digest, cms.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	good := sign(p.Digest(), 0)
	changed := bytes.Clone(base)
	changed[len(changed)/2] ^= 1
	tampered := bytes.Clone(good)
	tampered[len(tampered)-1] ^= 1
	other := bytes.Repeat([]byte{7}, 32)
	for _, c := range []struct {
		name string
		base []byte
		cms  []byte
		want error
	}{
		{"changed base", changed, good, ErrBaseChanged},
		{"shorter base", base[:len(base)-1], good, nil},
		{"another certificate", base, sign(p.Digest(), 1), ErrSignature},
		{"another digest", base, sign(other, 0), ErrSignature},
		{"tampered signature value", base, tampered, ErrSignature},
		{"trailing bytes", base, append(bytes.Clone(good), 0), ErrSignature},
		{"empty", base, nil, ErrSignature},
		{"garbage", base, []byte("garbage"), ErrSignature},
		{"too large", base, make([]byte, p.Reserved()+1), ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := p.Embed(bytes.NewReader(c.base), c.cms, &out)
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if out.Len() != 0 {
				t.Errorf("%d bytes were written", out.Len())
			}
		})
	}
	var large *TooLargeError
	if err := p.Embed(bytes.NewReader(base), make([]byte, 1<<20), nil); !errors.As(err, &large) || large.Need != 1<<20 {
		t.Errorf("size needed: %v", err)
	}
}
