package issue

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/storage"
)

// stamp draws the page people see and stores it: numbered → stamped.
func (f *Flow) stamp(ctx context.Context, c certcopy.Copy) error {
	clean, err := f.cleanDocument(ctx, c)
	if err != nil {
		return err
	}
	facts, err := f.facts(ctx, c)
	if err != nil {
		return err
	}
	stamped, err := stamp.Stamp(bytes.NewReader(clean), int64(len(clean)), c.Clean, facts)
	if err != nil {
		return err
	}
	ref, err := f.keep(ctx, "stamped/"+string(c.ID), stamped.PDF)
	if err != nil {
		return err
	}
	crash("stamp.kept")
	err = f.Ledger.Advance(ctx, c.ID, certcopy.Numbered, certcopy.Stamped, ref)
	crash("stamp.advanced")
	return err
}

// sign makes the certifier's certification signature: stamped → signed.
func (f *Flow) sign(ctx context.Context, c certcopy.Copy) error {
	return f.signAs(ctx, c, signing{
		role: certcopy.ByCertifier, point: "sign", from: certcopy.Stamped, to: certcopy.Signed,
		identity: func() (signer.Identity, error) { return f.Keys.Certifier(ctx, c.CertifiedBy.Account) },
		options: pades.Options{
			Field: stamp.CertifierField, Certify: mayFillForms, Name: c.CertifiedBy.Name,
			Reason: "Chứng thực bản sao đúng với bản chính",
		},
	})
}

// mayFillForms permits filling and signing fields after the certification, and nothing else
// (ISO 32000-2 §12.8.2.2, P = 2).
const mayFillForms = 2

// seal makes the agency's signature over the certifier's: signed → sealed.
func (f *Flow) seal(ctx context.Context, c certcopy.Copy) error {
	agency, err := f.Ledger.Agency(ctx, c.Agency)
	if err != nil {
		return err
	}
	return f.signAs(ctx, c, signing{
		role: certcopy.ByAgency, point: "seal", from: certcopy.Signed, to: certcopy.Sealed,
		identity: func() (signer.Identity, error) { return f.Keys.Agency(ctx, c.Agency) },
		options:  pades.Options{Field: stamp.AgencyField, Name: agency.Name, Location: agency.Place},
	})
}

// signing is what differs between the two signatures.
type signing struct {
	role     certcopy.SignatureRole
	point    string // prefix of the crash points
	from, to certcopy.State
	identity func() (signer.Identity, error)
	options  pades.Options
}

// prepared is the artifact of a generation that fixes what will be signed and under which
// certificate: the same bytes may be signed again after a crash, others never in this
// generation.
type prepared struct {
	PDF         *pades.Prepared `json:"pdf"`
	Certificate []byte          `json:"certificate"`
	Chain       [][]byte        `json:"chain"`
}

// signAs carries one signature from prepared bytes to the signed file. Each artifact is
// stored create-once before the next is made; the file is a pure function of them.
func (f *Flow) signAs(ctx context.Context, c certcopy.Copy, s signing) error {
	base, err := f.stateFile(ctx, c.ID, s.from)
	if err != nil {
		return err
	}
	generation, err := f.Ledger.Generation(ctx, c.ID, s.role)
	if err != nil {
		return err
	}
	key := storage.ArtifactKey{Copy: c.ID, Role: s.role, Generation: generation}
	p, err := f.prepare(ctx, key, base, s)
	if err != nil {
		return err
	}
	crash(s.point + ".prepared")
	message, err := f.message(ctx, key, p, s)
	if errors.Is(err, errGenerationSpent) {
		// Nothing of it left the ledger: the next attempt starts from other bytes.
		return errors.Join(err, f.Ledger.KillGeneration(ctx, c.ID, s.role, generation, err.Error()))
	}
	if err != nil {
		return err
	}
	crash(s.point + ".cms")
	var file bytes.Buffer
	if err := p.PDF.Embed(bytes.NewReader(base), message, &file); err != nil {
		return err
	}
	ref, err := f.keep(ctx, string(s.to)+"/"+string(c.ID), file.Bytes())
	if err != nil {
		return err
	}
	crash(s.point + ".kept")
	err = f.Ledger.Advance(ctx, c.ID, s.from, s.to, ref)
	crash(s.point + ".advanced")
	return err
}

// prepare returns the generation's prepared bytes, making them if there are none.
func (f *Flow) prepare(ctx context.Context, key storage.ArtifactKey, base []byte, s signing) (*prepared, error) {
	key.Kind = storage.Prepared
	stored, err := f.Ledger.Artifact(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		stored, err = f.prepareAnew(ctx, key, base, s)
	}
	if err != nil {
		return nil, err
	}
	return readPrepared(stored)
}

func readPrepared(stored []byte) (*prepared, error) {
	p := new(prepared)
	if err := json.Unmarshal(stored, p); err != nil {
		return nil, fmt.Errorf("prepared bytes: %w: %w", storage.ErrDamaged, err)
	}
	return p, nil
}

// usable returns the role's identity if it may sign now.
func (f *Flow) usable(s signing) (signer.Identity, error) {
	id, err := s.identity()
	if err != nil {
		return id, err
	}
	return id, signer.Check(id, f.Now())
}

func (f *Flow) prepareAnew(ctx context.Context, key storage.ArtifactKey, base []byte, s signing) ([]byte, error) {
	id, err := f.usable(s)
	if err != nil {
		return nil, err
	}
	o := s.options
	o.SigningTime = f.Now()
	o.Certificate, o.Chain = id.Certificate, id.Chain
	o.TokenSize = timeStampReserve << min(key.Generation-1, 4)
	pdf, err := pades.Prepare(bytes.NewReader(base), int64(len(base)), o)
	if err != nil {
		return nil, err
	}
	p := prepared{PDF: pdf, Certificate: id.Certificate.Raw}
	for _, c := range id.Chain {
		p.Chain = append(p.Chain, c.Raw)
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return f.Ledger.PutArtifact(ctx, key, b)
}

// timeStampReserve is the room kept in /Contents for a time-stamp token with its chain, in
// bytes. It doubles with each generation that was spent because a token did not fit.
const timeStampReserve = 16 << 10

// message returns the generation's CMS with its time-stamp, making it if there is none.
func (f *Flow) message(ctx context.Context, key storage.ArtifactKey, p *prepared, s signing) ([]byte, error) {
	key.Kind = storage.CMS
	stored, err := f.Ledger.Artifact(ctx, key)
	if err == nil || !errors.Is(err, storage.ErrNotFound) {
		return stored, err
	}
	in, err := p.input()
	if err != nil {
		return nil, err
	}
	if in.Signature, err = f.signature(ctx, key, in, s); err != nil {
		return nil, err
	}
	crash(s.point + ".value")
	digest := certcopy.DigestOf(in.Signature)
	if in.TimeStampToken, err = f.Stamps.TimeStamp(ctx, digest[:], crypto.SHA256); err != nil {
		return nil, fmt.Errorf("%w: %w", errTimeStamp, err)
	}
	crash(s.point + ".stamped")
	message, err := cms.Build(in)
	if err != nil {
		return nil, err
	}
	if _, err := p.PDF.Increment(message); errors.Is(err, pades.ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", errGenerationSpent, err)
	} else if err != nil {
		return nil, err
	}
	return f.Ledger.PutArtifact(ctx, key, message)
}

// input is all of the CMS but the signature and the time-stamp: a pure function of p.
func (p *prepared) input() (cms.Input, error) {
	certificate, err := x509.ParseCertificate(p.Certificate)
	if err != nil {
		return cms.Input{}, fmt.Errorf("prepared certificate: %w: %w", storage.ErrDamaged, err)
	}
	algorithm, err := cms.AlgorithmFor(certificate.PublicKey, false)
	if err != nil {
		return cms.Input{}, err
	}
	attributes, err := cms.SignedAttributes(p.PDF.Digest(), p.PDF.Hash(), certificate)
	if err != nil {
		return cms.Input{}, err
	}
	in := cms.Input{Attributes: attributes, Algorithm: algorithm, Certificate: certificate}
	for _, der := range p.Chain {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return cms.Input{}, fmt.Errorf("prepared chain: %w: %w", storage.ErrDamaged, err)
		}
		in.Chain = append(in.Chain, c)
	}
	return in, nil
}

// signature returns the generation's signature value, using the key if there is none. It is
// stored before the time-stamp authority is called.
func (f *Flow) signature(ctx context.Context, key storage.ArtifactKey, in cms.Input, s signing) ([]byte, error) {
	key.Kind = storage.Signature
	stored, err := f.Ledger.Artifact(ctx, key)
	if err == nil || !errors.Is(err, storage.ErrNotFound) {
		return stored, err
	}
	id, err := f.usable(s)
	if err != nil {
		return nil, err
	}
	if !id.Certificate.Equal(in.Certificate) {
		return nil, fmt.Errorf("%w: the certificate was replaced after the bytes were prepared", errGenerationSpent)
	}
	use := keyUse(key, in)
	if err := f.Ledger.Record(ctx, use); err != nil {
		return nil, fmt.Errorf("audit of the key: %w", err)
	}
	value, err := cms.SignAttributes(ctx, id, in.Algorithm, in.Attributes)
	if err != nil {
		use.Phase = storage.AuditFailed
		still, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("sign: %w", err), f.Ledger.Record(still, use))
	}
	return f.Ledger.PutArtifact(ctx, key, value) // and with it the event that it was done
}

// keyUse announces a use of a key in the audit: for which bytes, under which certificate.
func keyUse(key storage.ArtifactKey, in cms.Input) storage.AuditEvent {
	certificate := certcopy.DigestOf(in.Certificate.Raw)
	return storage.AuditEvent{Kind: storage.AuditKey, Action: string(key.Role) + ".sign", Phase: storage.AuditBefore, Copy: key.Copy,
		Subject: fmt.Sprintf("generation %d certificate %s", key.Generation, certificate), Digest: certcopy.DigestOf(in.Attributes)}
}
