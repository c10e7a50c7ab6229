package validation

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/trust"
)

// Bounds of the validation data of one file.
const (
	maxEvidence      = 1024
	maxEvidenceBytes = 16 << 20 // one certificate, OCSP response or CRL
	maxEvidenceTotal = 64 << 20
)

// evidence is the validation data a file carries: certificates to build paths with, and
// OCSP responses and CRLs to learn of revocations from. None of it is trusted for being
// there.
type evidence struct {
	certs       []*x509.Certificate
	ocsps, crls [][]byte
	// written are the revisions that wrote something into the document security store, which
	// then had revocation data.
	written []int
	total   int
	seen    map[string]bool // what was added, in DER
	// crlIssuers are the issuers of the CRLs, made when first asked for.
	crlIssuers map[string]bool
	// found is the revocation data, parsed once.
	found *trust.Evidence
	// stored is what of it stands in the store of the document; bad counts what stands there
	// and could not be read.
	stored struct {
		certs       []*x509.Certificate
		ocsps, crls [][]byte
	}
	bad int
}

// gather collects the evidence of the newest document security store and of every signature.
func (x *examiner) gather(all []*signing) (*evidence, error) {
	e := &evidence{}
	// A damaged store proves nothing and accuses nobody: what was read of it is used.
	if err := e.store(x.doc); isIO(err) {
		return nil, err
	} else if err != nil {
		e.bad++
	}
	e.stored.certs, e.stored.ocsps, e.stored.crls = e.certs, e.ocsps, e.crls
	if len(e.ocsps)+len(e.crls) > 0 {
		var err error
		if e.written, err = x.writtenIn(); err != nil {
			return nil, err
		}
	}
	for _, s := range all {
		if s.cms == nil {
			continue
		}
		e.carried(s.cms)
		for _, si := range s.cms.Signers {
			e.archival(si)
			for _, der := range si.TimeStampTokens() {
				if sd, err := cms.Parse(der); err == nil {
					e.carried(sd)
				}
			}
		}
	}
	return e, nil
}

// writtenIn returns the revisions in which the store is another than before, and not without
// revocation data.
func (x *examiner) writtenIn() ([]int, error) {
	var revisions []int
	before := ""
	for i := range x.revs {
		if err := x.ctx.Err(); err != nil {
			return nil, err
		}
		r, err := x.doc.AtRevision(i)
		if err != nil {
			return nil, notVerdict(err)
		}
		now, err := storeOf(view{r})
		if isIO(err) {
			return nil, err
		}
		if now != before && now != "" {
			revisions = append(revisions, i)
		}
		before = now
	}
	return revisions, nil
}

// storeOf describes what a store refers to; empty if it has no revocation data.
func storeOf(v view) (string, error) {
	cat, _, err := v.dict(v.r.Trailer().Get("Root"))
	if err != nil {
		return "", err
	}
	dss, _, err := v.dict(cat.Get("DSS"))
	if err != nil {
		return "", err
	}
	vri, _, err := v.dict(dss.Get("VRI"))
	if err != nil {
		return "", err
	}
	filled := len(vri) > 0
	said := fmt.Sprint(len(vri))
	for _, entry := range vri[:min(len(vri), maxSignatures)] {
		ref, _ := entry.Value.(pdf.Ref) // one that is direct changes with its key
		said += fmt.Sprint(entry.Key, ref)
	}
	for _, key := range []pdf.Name{"Certs", "OCSPs", "CRLs"} {
		a, err := v.array(dss.Get(key))
		if err != nil {
			return "", err
		}
		filled = filled || (key != "Certs" && len(a) > 0)
		said += fmt.Sprint(len(a), a[:min(len(a), maxEvidence)])
	}
	if !filled {
		return "", nil
	}
	return said, nil
}

// store reads a document security store (ISO 32000-2 §12.8.4.3).
func (e *evidence) store(r *pdf.Reader) error {
	v := view{r}
	cat, _, err := v.dict(r.Trailer().Get("Root"))
	if err != nil {
		return err
	}
	dss, _, err := v.dict(cat.Get("DSS"))
	if err != nil {
		return err
	}
	if err := e.list(v, dss.Get("Certs"), e.cert); err != nil {
		return err
	}
	if err := e.list(v, dss.Get("OCSPs"), e.ocsp); err != nil {
		return err
	}
	if err := e.list(v, dss.Get("CRLs"), e.crl); err != nil {
		return err
	}
	return e.perSignature(v, dss)
}

// perSignature reads /VRI. What it holds is in the lists above too, if the writer kept to
// the rule; not all do.
func (e *evidence) perSignature(v view, dss pdf.Dict) error {
	vri, _, err := v.dict(dss.Get("VRI"))
	if err != nil {
		return err
	}
	for _, entry := range vri[:min(len(vri), maxSignatures)] {
		d, _, err := v.dict(entry.Value)
		if err != nil {
			return err
		}
		if err := e.list(v, d.Get("Cert"), e.cert); err != nil {
			return err
		}
		if err := e.list(v, d.Get("OCSP"), e.ocsp); err != nil {
			return err
		}
		if err := e.list(v, d.Get("CRL"), e.crl); err != nil {
			return err
		}
	}
	return nil
}

// list decodes an array of streams. What is too large or not a stream is passed over and
// counted: it proves nothing.
func (e *evidence) list(v view, o pdf.Object, add func([]byte)) error {
	a, err := v.array(o)
	if err != nil {
		return err
	}
	for _, item := range a[:min(len(a), maxEvidence)] {
		o, err := v.get(item)
		if err != nil {
			return err
		}
		s, ok := o.(*pdf.Stream)
		if !ok || s.Len() > maxEvidenceBytes || e.total > maxEvidenceTotal {
			e.bad++
			continue
		}
		der, err := v.r.Decode(s)
		if err != nil {
			if isIO(err) {
				return err
			}
			if e.bad++; errors.Is(err, pdf.ErrLimit) {
				return nil // the rest would cost as much
			}
			continue
		}
		e.total += len(der)
		add(der)
	}
	return nil
}

func (e *evidence) cert(der []byte) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		e.bad++
		return
	}
	e.addCert(c)
}

func (e *evidence) addCert(c *x509.Certificate) {
	if len(e.certs) < maxEvidence && e.isNew(c.Raw) {
		e.certs = append(e.certs, c)
	}
}

func (e *evidence) ocsp(der []byte) {
	if len(e.ocsps) < maxEvidence && e.isNew(der) {
		e.ocsps = append(e.ocsps, der)
	}
}

func (e *evidence) crl(der []byte) {
	if len(e.crls) < maxEvidence && e.isNew(der) {
		e.crls = append(e.crls, der)
	}
}

// isNew reports whether something was not added before.
func (e *evidence) isNew(der []byte) bool {
	if e.seen == nil {
		e.seen = map[string]bool{}
	}
	if e.seen[string(der)] {
		return false
	}
	e.seen[string(der)] = true
	return true
}

// carried adds what a CMS has with it.
func (e *evidence) carried(sd *cms.SignedData) {
	for _, c := range sd.Certificates {
		e.addCert(c)
	}
	for _, der := range sd.CRLs {
		e.crl(der)
	}
	for _, der := range sd.OCSPs {
		e.ocsp(der)
	}
}

// archival reads adbe-revocationInfoArchival (ISO 32000-1 §12.8.3.3.2):
// SEQUENCE { crl [0] SEQUENCE OF CRL, ocsp [1] SEQUENCE OF OCSPResponse, … }.
func (e *evidence) archival(si *cms.SignerInfo) {
	value, ok := si.SignedAttribute(cms.OIDRevocationArchival)
	if !ok {
		return
	}
	outer := cryptobyte.String(value)
	var seq cryptobyte.String
	if !outer.ReadASN1(&seq, cbasn1.SEQUENCE) {
		return
	}
	for i, add := range []func([]byte){e.crl, e.ocsp} {
		tag := cbasn1.Tag(uint8(i)).ContextSpecific().Constructed()
		var explicit, list cryptobyte.String
		var present bool
		if !seq.ReadOptionalASN1(&explicit, &present, tag) || !present || !explicit.ReadASN1(&list, cbasn1.SEQUENCE) {
			continue
		}
		for !list.Empty() {
			var item cryptobyte.String
			if !list.ReadASN1Element(&item, cbasn1.SEQUENCE) {
				break
			}
			add(item)
		}
	}
}

// concerns reports whether there is revocation data about a certificate: a CRL of its issuer
// or an OCSP response with its serial number. Whether it is good is for the path validation.
func (e *evidence) concerns(cert *x509.Certificate) bool {
	if e.crlIssuers == nil {
		e.crlIssuers = map[string]bool{}
		for _, der := range e.crls {
			if crl, err := x509.ParseRevocationList(der); err == nil {
				e.crlIssuers[string(crl.RawIssuer)] = true
			}
		}
	}
	if e.crlIssuers[string(cert.RawIssuer)] {
		return true
	}
	serial, err := asn1.Marshal(cert.SerialNumber)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(e.ocsps, func(der []byte) bool { return containsBytes(der, serial) })
}
