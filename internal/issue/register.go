package issue

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/storage"
)

// requiredLevel is the level below which no copy is registered (ETSI EN 319 142-1 §6).
const requiredLevel = "B-LT"

// register completes the sealed file with validation data, examines it as a receiver would,
// puts it into the vault, and appends its leaf: sealed → registered. The leaf and the state
// commit together; until then nobody outside the office can have seen the file.
func (f *Flow) register(ctx context.Context, c certcopy.Copy) error {
	sealed, err := f.stateFile(ctx, c.ID, certcopy.Sealed)
	if err != nil {
		return err
	}
	key, increment, err := f.validationData(ctx, c, sealed)
	if err != nil {
		return err
	}
	final := append(sealed[:len(sealed):len(sealed)], increment...)
	file, err := f.finished(ctx, final)
	if err != nil {
		return err
	}
	if err := f.keepIncrement(ctx, key, increment); err != nil {
		return err
	}
	crash("register.dss")
	if err := f.Vault.Put(ctx, c.ID, final, f.Now()); err != nil {
		return err
	}
	crash("register.vaulted")
	leaf, err := f.issueLeaf(ctx, c, file)
	if err != nil {
		return err
	}
	_, err = f.Ledger.Register(ctx, c.ID, file, leaf.Maker())
	crash("register.appended")
	return err
}

// validationData returns the increment with certificates and revocation data of both
// signatures and their time-stamps: the one an earlier attempt stored, or a new one.
func (f *Flow) validationData(ctx context.Context, c certcopy.Copy, sealed []byte) (storage.ArtifactKey, []byte, error) {
	key := storage.ArtifactKey{Copy: c.ID, Role: certcopy.ByAgency, Kind: storage.DSS}
	var err error
	if key.Generation, err = f.Ledger.Generation(ctx, c.ID, key.Role); err != nil {
		return key, nil, err
	}
	stored, err := f.Ledger.Artifact(ctx, key)
	if err == nil || !errors.Is(err, storage.ErrNotFound) {
		return key, stored, err
	}
	var extended bytes.Buffer
	err = pades.Extend(ctx, bytes.NewReader(sealed), int64(len(sealed)), &extended, pades.ExtendOptions{Level: pades.BLT, Collector: f.Revocation})
	if err != nil {
		return key, nil, fmt.Errorf("%w: %w", errCertificate, err)
	}
	return key, extended.Bytes()[len(sealed):], nil
}

// keepIncrement stores the increment create-once. Only one with which the file passed gets
// here: a poor one would be the file's for ever.
func (f *Flow) keepIncrement(ctx context.Context, key storage.ArtifactKey, increment []byte) error {
	stored, err := f.Ledger.PutArtifact(ctx, key, increment)
	if err == nil && !bytes.Equal(stored, increment) {
		err = fmt.Errorf("%w: a twin stored other validation data", storage.ErrConflict)
	}
	return err
}

// finished examines the final file. A file that a receiver would refuse is never registered.
func (f *Flow) finished(ctx context.Context, final []byte) (certcopy.FinalFile, error) {
	level, err := f.Examine.Examine(ctx, final, f.Now())
	if err != nil {
		return certcopy.FinalFile{}, fmt.Errorf("%w: %w", errLevel, err)
	}
	if level != requiredLevel && level != "B-LTA" {
		return certcopy.FinalFile{}, fmt.Errorf("%w: it is %s, %s is required", errLevel, level, requiredLevel)
	}
	pages, err := countPages(final)
	if err != nil {
		return certcopy.FinalFile{}, err
	}
	return certcopy.FinalFile{Digest: certcopy.DigestOf(final), Size: int64(len(final)), Pages: pages, Level: level}, nil
}

// issueLeaf is the leaf of an issued copy, but for its time.
func (f *Flow) issueLeaf(ctx context.Context, c certcopy.Copy, file certcopy.FinalFile) (register.Leaf, error) {
	leaf, err := register.OfCopy(c, storage.LeafIssue)
	if err != nil {
		return leaf, err
	}
	leaf.Date = c.Number.Date
	leaf.File, leaf.Length, leaf.Pages = file.Digest, file.Size, file.Pages
	leaf.DocumentType = c.Original.Type
	if leaf.CertifierCertificate, err = f.certificate(ctx, c.ID, certcopy.ByCertifier); err != nil {
		return leaf, err
	}
	if leaf.AgencyCertificate, err = f.certificate(ctx, c.ID, certcopy.ByAgency); err != nil {
		return leaf, err
	}
	salt, err := f.Ledger.Salt(ctx, c.ID)
	if err != nil {
		return leaf, fmt.Errorf("salt: %w", err)
	}
	leaf.Commitment, err = register.PrivateFacts{Requester: c.Requester, Title: c.Original.Title,
		IssuingBody: c.Original.IssuingBody, Copies: c.Original.Copies}.Commit(salt)
	return leaf, err
}

// certificate returns the fingerprint of the certificate under which a role signed.
func (f *Flow) certificate(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole) (certcopy.Digest, error) {
	generation, err := f.Ledger.Generation(ctx, id, role)
	if err != nil {
		return certcopy.Digest{}, err
	}
	stored, err := f.Ledger.Artifact(ctx, storage.ArtifactKey{Copy: id, Role: role, Generation: generation, Kind: storage.Prepared})
	if err != nil {
		return certcopy.Digest{}, err
	}
	p, err := readPrepared(stored)
	if err != nil {
		return certcopy.Digest{}, err
	}
	if _, err := x509.ParseCertificate(p.Certificate); err != nil {
		return certcopy.Digest{}, fmt.Errorf("prepared certificate: %w: %w", storage.ErrDamaged, err)
	}
	return certcopy.DigestOf(p.Certificate), nil
}

func countPages(file []byte) (n int, err error) {
	doc, err := pdf.Open(bytes.NewReader(file), int64(len(file)), pdf.Limits{})
	if err != nil {
		return 0, err
	}
	for _, err := range doc.Pages() {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}
