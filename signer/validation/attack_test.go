package validation

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
)

// listed is an entry of a cross-reference stream written by hand.
type listed struct {
	number, kind, a, b int
}

// streamUpdate appends objects and a cross-reference stream that lists what it is told.
func streamUpdate(t *testing.T, data []byte, objects []string, entries func(at []int) []listed) []byte {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	must(t, err)
	b := bytes.NewBuffer(bytes.Clone(data))
	var at []int
	for _, o := range objects {
		at = append(at, b.Len())
		b.WriteString(o + "\n")
	}
	start := b.Len()
	index, table := "", ""
	for _, e := range append(entries(at), listed{990, 1, start, 0}) {
		index += fmt.Sprintf("%d 1 ", e.number)
		table += string([]byte{byte(e.kind), byte(e.a >> 16), byte(e.a >> 8), byte(e.a), byte(e.b)})
	}
	fmt.Fprintf(b, "990 0 obj <</Type/XRef/W[1 3 1]/Index[%s]/Size 999/Root %s/Prev %d/Info %s/ID[<30313233343536373839616263646566><00>]/Length %d>>stream\n%s\nendstream endobj\nstartxref\n%d\n%%%%EOF\n",
		index, r.Trailer().Ref("Root"), r.StartXRef(), r.Trailer().Ref("Info"), len(table), table, start)
	return b.Bytes()
}

func objectStream(number int, members string, first int) string {
	return fmt.Sprintf("%d 0 obj <</Type/ObjStm/N 1/First %d/Length %d>>stream\n%s\nendstream endobj", number, first, len(members), members)
}

// TestMaskedObjects: object streams and cross-reference streams in which two readers would
// find different objects under one number, beside twins in which they cannot.
func TestMaskedObjects(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	signed := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	content := fmt.Sprintf("%d 0 obj <</Length 9>>stream\nBT (9) ET\nendstream endobj", d.refs["content"].Number)
	info := d.refs["info"].Number
	for name, tt := range map[string]struct {
		objects []string
		entries func(at []int) []listed
		intact  bool
	}{
		"new object in an object stream": {[]string{objectStream(980, "981 0 77", 6)},
			func(at []int) []listed { return []listed{{980, 1, at[0], 0}, {981, 2, 980, 0}} }, true},
		"object stream with an object nobody lists": {[]string{objectStream(980, "981 0 77", 6)},
			func(at []int) []listed { return []listed{{980, 1, at[0], 0}} }, true}, // nothing leads to it, in any reader
		"member under another number": {[]string{objectStream(980, fmt.Sprintf("%d 0 <<>>", info), 5)},
			func(at []int) []listed { return []listed{{980, 1, at[0], 0}, {d.refs["font"].Number, 2, 980, 0}} }, false},
		"compressed and plain, compressed listed": {[]string{objectStream(980, fmt.Sprintf("%d 0 77", info), 6), content},
			func(at []int) []listed { return []listed{{980, 1, at[0], 0}} }, false},
		"entry leads to an object of another number": {[]string{"981 0 obj 77 endobj"},
			func(at []int) []listed { return []listed{{d.refs["font"].Number, 1, at[0], 0}} }, false},
		"entry with another generation": {[]string{fmt.Sprintf("%d 1 obj <</Type/Font/Subtype/Type1/BaseFont/Symbol>> endobj", d.refs["font"].Number)},
			func(at []int) []listed { return []listed{{d.refs["font"].Number, 1, at[0], 1}} }, false},
		"object freed": {nil, func([]int) []listed { return []listed{{d.refs["font"].Number, 0, 0, 1}} }, false},
		"number listed twice": {[]string{"981 0 obj 77 endobj", "981 0 obj 78 endobj"},
			func(at []int) []listed { return []listed{{981, 1, at[0], 0}, {981, 1, at[1], 0}} }, false},
		"object stream within itself": {[]string{objectStream(980, "980 0 77", 6)},
			func([]int) []listed { return []listed{{980, 2, 980, 0}} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := o.validate(streamUpdate(t, signed, tt.objects, tt.entries))
			if (r.Integrity == Intact) != tt.intact {
				logReport(t, r)
				t.Errorf("integrity %s", r.Integrity)
			}
		})
	}
}

// TestHybridConflict: an update whose table and stream say different things of one object.
func TestHybridConflict(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	signed := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	r, err := pdf.Open(bytes.NewReader(signed), int64(len(signed)), pdf.Limits{})
	must(t, err)
	for name, hybrid := range map[string]bool{"table alone": false, "table and stream": true} {
		t.Run(name, func(t *testing.T) {
			b := bytes.NewBuffer(bytes.Clone(signed))
			object := b.Len()
			b.WriteString("981 0 obj 77 endobj\n")
			stream, font := b.Len(), d.refs["font"].Number
			more := ""
			if hybrid {
				table := string([]byte{1, byte(object >> 16), byte(object >> 8), byte(object), 0})
				fmt.Fprintf(b, "990 0 obj <</Type/XRef/W[1 3 1]/Index[%d 1]/Size 999/Length 5>>stream\n%s\nendstream endobj\n", font, table)
				more = fmt.Sprintf("/XRefStm %d", stream)
			}
			at := b.Len()
			fmt.Fprintf(b, "xref\n981 1\n%010d 00000 n \ntrailer<</Size 999/Root %s/Prev %d/Info %s/ID[<30313233343536373839616263646566><00>]%s>>\nstartxref\n%d\n%%%%EOF\n",
				object, r.Trailer().Ref("Root"), r.StartXRef(), r.Trailer().Ref("Info"), more, at)
			if r := o.validate(b.Bytes()); (r.Integrity == Intact) == hybrid {
				logReport(t, r)
				t.Errorf("integrity %s", r.Integrity)
			}
		})
	}
}

// TestAppearanceState: a box may be ticked with its value; its picture alone may not change.
func TestAppearanceState(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	signed := o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 2}, pades.Means{})
	for title, tt := range map[string]struct {
		entries []pdf.Entry
		allowed bool
	}{
		"with its value":    {[]pdf.Entry{pdf.E("V", name("On")), pdf.E("AS", name("On"))}, true},
		"alone":             {[]pdf.Entry{pdf.E("AS", name("On"))}, false},
		"on a text field":   {nil, false},
		"removed":           {[]pdf.Entry{pdf.E("AS", pdf.Null{})}, false},
		"normal one hidden": {[]pdf.Entry{pdf.E("V", name("On")), pdf.E("AS", name("On")), pdf.E("F", pdf.Integer(2))}, false},
	} {
		t.Run(title, func(t *testing.T) {
			data := revised(t, signed, func(u *pdf.Update) {
				if tt.entries == nil {
					set(t, u, d.refs["text"], pdf.E("AS", pdf.Name("On")))
					return
				}
				set(t, u, d.refs["check"], tt.entries...)
			})
			judge(t, o.validate(data), tt.allowed, "")
		})
	}
}

// TestNoConnection: a file names the addresses of its authority; nothing is asked unless the
// caller gives a source, and no source of the public kind asks this machine or its network.
func TestNoConnection(t *testing.T) {
	var asked atomic.Int32
	o := newOffice(t)
	var pki *signertest.PKI
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		pki.Handler().ServeHTTP(w, r)
	}))
	defer server.Close()
	var err error
	pki, err = signertest.NewPKI(signertest.Config{Clock: func() time.Time { return o.now }, BaseURL: server.URL, Start: start.AddDate(0, -1, 0)})
	must(t, err)
	o.pki = pki
	o.person = o.issue(signertest.Official("An", "", "", ""))
	data := o.signRaw(newDocument(t).data)
	for name, tt := range map[string]struct {
		source *trust.Source
		asks   bool
	}{
		"offline": {nil, false},
		"public":  {trust.NewSource(trust.NewFetcher(trust.FetcherConfig{}), false), false},
		"private": {trust.NewSource(trust.NewFetcher(trust.FetcherConfig{AllowPrivate: true}), false), true},
	} {
		t.Run(name, func(t *testing.T) {
			asked.Store(0)
			opts := o.options()
			opts.Source = tt.source
			r := validate(t, data, opts)
			if got := asked.Load() > 0; got != tt.asks || r.Passed() != tt.asks {
				logReport(t, r)
				t.Errorf("asked %d times, %s", asked.Load(), r.Indication)
			}
		})
	}
}
