package issue_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/fsck"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/timestamp"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/disk"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

func TestMain(m *testing.M) {
	confine.Main(intake.Tasks())
	os.Exit(m.Run())
}

const authority = "http://pki.example.vn"

// world is an installation: real stores, a real authority, and keys that write down what
// they sign. Flows come and go in it, as processes do.
type world struct {
	storagetest.Office
	store                  *postgres.Store
	scratch, files, public storage.Blobs
	master                 *age.X25519Identity
	log                    *register.Signer
	pki                    *signertest.PKI
	ahead                  atomic.Int64 // how far the clock of the processes is ahead
	serial                 atomic.Int64 // of external identifiers

	mu                sync.Mutex
	certifier, agency signer.Identity                 // guarded by mu
	signed            map[use]map[string]bool         // guarded by mu; digests
	current           certcopy.CopyID                 // guarded by mu; which copy is being signed
	refuse            map[certcopy.SignatureRole]bool // guarded by mu; the token is pulled out
}

// use is the living generation for which a key was used.
type use struct {
	copy       certcopy.CopyID
	role       certcopy.SignatureRole
	generation certcopy.Generation
}

func newWorld(t testing.TB, sealAtOnce bool) *world {
	t.Helper()
	w := &world{signed: map[use]map[string]bool{}, refuse: map[certcopy.SignatureRole]bool{}}
	w.store, w.Office = storagetest.NewOffice(t, sealAtOnce)
	for _, b := range []*storage.Blobs{&w.scratch, &w.files, &w.public} {
		*b = must(disk.Open(t.TempDir(), time.Now))(t)
	}
	w.master = must(age.GenerateX25519Identity())(t)
	secret, _, err := register.GenerateKey(rand.Reader, "localhost:8080/log")
	if err != nil {
		t.Fatal(err)
	}
	w.log = must(register.NewSigner(secret))(t)
	w.pki = must(signertest.NewPKI(signertest.Config{Clock: w.now, BaseURL: authority, Start: time.Now().AddDate(-1, 0, 0)}))(t)
	w.certifier = w.newKey(t, certcopy.ByCertifier, nil)
	w.agency = w.newKey(t, certcopy.ByAgency, nil)
	return w
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// newKey makes a key of a role; change alters what its certificate says.
func (w *world) newKey(t testing.TB, role certcopy.SignatureRole, change func(*signertest.Profile)) signer.Identity {
	t.Helper()
	p := signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Ân Tường Đông", "CCCD:052000000001")
	if role == certcopy.ByAgency {
		p = signertest.Agency("UBND xã Ân Tường Đông", "MST:4100000001")
	}
	p.KeyType = signertest.P256
	if change != nil {
		change(&p)
	}
	return must(w.pki.Issue(p))(t).Identity
}

// replace gives a role another key, as an administrator does.
func (w *world) replace(role certcopy.SignatureRole, id signer.Identity) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if role == certcopy.ByAgency {
		w.agency = id
	} else {
		w.certifier = id
	}
}

// looks are drawn once: a blue signature and a round red seal, small, because every copy
// decodes them twice.
var looks = sync.OnceValues(func() (l [2][]byte, err error) {
	for i, ink := range []color.NRGBA{{0, 0, 200, 255}, {220, 0, 0, 255}} {
		picture := image.NewNRGBA(image.Rect(0, 0, 96, 96))
		for p := range 96 * 96 {
			if x, y := p%96-48, p/96-48; x*x+y*y < 47*47 && x*x+y*y > 40*40 {
				picture.SetNRGBA(p%96, p/96, ink)
			}
		}
		var b bytes.Buffer
		err = errors.Join(err, png.Encode(&b, picture))
		l[i] = b.Bytes()
	}
	return l, err
})

// pictures is issue.Looks.
type pictures struct{}

func (pictures) Signature(context.Context, certcopy.AccountID) ([]byte, error) {
	l, err := looks()
	return l[0], err
}

func (pictures) Seal(context.Context, certcopy.AgencyID) ([]byte, error) {
	l, err := looks()
	return l[1], err
}

// scanned is one page as intake really reads it, once for all tests.
var scanned = sync.OnceValues(func() (*intake.Result, error) { return readPage(1654, 2339) })

// readPage has intake read a JPEG of an A4 page with that many pixels.
func readPage(width, height int) (*intake.Result, error) {
	b, err := scanOf(width, height)
	if err != nil {
		return nil, err
	}
	in := intake.New(confine.New(2), "")
	return in.Read(context.Background(), intake.Upload{Name: "ban-chinh.jpg", Body: bytes.NewReader(b), Size: int64(len(b))})
}

// scanOf draws paper with lines of "text" on its upper half.
func scanOf(width, height int) ([]byte, error) {
	page := image.NewGray(image.Rect(0, 0, width, height))
	for i := range page.Pix {
		x, y := i%width, i/width
		page.Pix[i] = 250
		if y > height/12 && y < height/2 && y%(height/40) < height/120 && x > width/10 && x < width*9/10 && x*7%31 < 20 {
			page.Pix[i] = 30
		}
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, page, &jpeg.Options{Quality: 60})
	return b.Bytes(), err
}

// readOnce is issue.Reader: it gives every upload the page that was read once.
type readOnce struct{}

func (readOnce) Read(context.Context, intake.Upload) (*intake.Result, error) { return scanned() }

func (readOnce) Edit(_ context.Context, p intake.Page, _ intake.Edit) (intake.Page, error) {
	return p, nil
}

// drawing is issue.Renderer: a picture that tells what was asked for.
type drawing struct{}

func (drawing) Page(_ context.Context, pdf []byte, page, widthPx int) ([]byte, error) {
	return fmt.Appendf(nil, "page %d of %s, %d wide", page, certcopy.DigestOf(pdf), widthPx), nil
}

// flow starts a process: a flow on the world's stores, every call of which goes through l.
func (w *world) flow(t testing.TB, l *line) *issue.Flow {
	t.Helper()
	base := must(link.ParseBase("http://localhost:8080"))(t)
	ledger := faultyLedger{w.store, l}
	transport := faultyTransport{w.pki.Transport(nil), l}
	stamps := must(timestamp.New(timestamp.Config{
		Authorities: []timestamp.Authority{{URL: authority + "/tsa", Roots: w.pki.Anchors()}},
		Retries:     -1, HTTPClient: &http.Client{Transport: transport}, Clock: w.now,
	}))(t)
	return &issue.Flow{
		Ledger: ledger, Scratch: faultyBlobs{w.scratch, l, "scratch"}, Public: faultyBlobs{w.public, l, "public"},
		Vault: &vault.Vault{Blobs: faultyBlobs{w.files, l, "vault"}, Keys: ledger, Master: w.master},
		Keys:  keyring{w, l}, Stamps: stamps, Revocation: w.collector(transport), Examine: faultyExaminer{w.examiner(), l},
		Looks: faultyLooks{pictures{}, l}, Intake: faultyReader{readOnce{}, l}, Render: faultyRenderer{drawing{}, l}, Log: w.log,
		VerifyURL: func(code string) string { return link.VerifyURL(base, must(link.ParseCode(code))(t)) },
		Now:       w.now, Rand: rand.Reader,
	}
}

// collector gathers validation data as the service does.
func (w *world) collector(transport http.RoundTripper) pades.Collector {
	source := trust.NewSource(trust.NewFetcher(trust.FetcherConfig{Transport: transport}), false)
	c := &trust.Collector{Clock: w.now, Validator: trust.Validator{Store: trust.NewStoreOf(w.pki.Anchors()...), Source: source, MaxAge: 24 * time.Hour}}
	return pades.CollectorFunc(func(ctx context.Context, cert *x509.Certificate, others []*x509.Certificate) (pades.ValidationData, error) {
		d, err := c.Collect(ctx, cert, others)
		return pades.ValidationData{Certs: d.Certs, OCSPs: d.OCSPs, CRLs: d.CRLs}, err
	})
}

// examiner validates as a receiver without a network would.
type examiner struct{ anchors *trust.Store }

func (w *world) examiner() examiner { return examiner{trust.NewStoreOf(w.pki.Anchors()...)} }

func (e examiner) Examine(ctx context.Context, file []byte, at time.Time) (string, error) {
	r, err := validation.File(ctx, bytes.NewReader(file), int64(len(file)), validation.Options{At: at, Anchors: e.anchors})
	if err != nil {
		return "", err
	}
	if r.Indication != validation.TotalPassed || len(r.Signatures) != 2 {
		return "", fmt.Errorf("%s %s, %d signatures", r.Indication, r.SubIndication, len(r.Signatures))
	}
	if r.Signatures[0].Field != stamp.CertifierField || r.Signatures[1].Field != stamp.AgencyField {
		return "", fmt.Errorf("fields %q, %q", r.Signatures[0].Field, r.Signatures[1].Field)
	}
	return string(min(r.Signatures[0].Level, r.Signatures[1].Level)), nil
}

// fsck checks everything stored against everything else; it must be clean and finished.
func (w *world) fsck(t testing.TB, copies int) {
	t.Helper()
	r := must(fsck.Check(context.Background(), func() *fsck.Checker {
		v := &vault.Vault{Blobs: w.files, Keys: w.store, Master: w.master}
		return &fsck.Checker{Ledger: w.store, Vault: w.files, Scratch: w.scratch, Public: w.public, Files: v, Examine: w.examiner(), Log: w.log.Log()}
	}))(t)
	for _, f := range r.Findings {
		t.Errorf("fsck: %s %s: %s", f.Kind, f.Subject, f.EN)
	}
	if r.Copies != copies || r.Numbers != copies || len(r.InProgress) > 0 {
		t.Errorf("fsck: %d copies, %d numbers, in progress %v; want %d finished", r.Copies, r.Numbers, r.InProgress, copies)
	}
}
