package validation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Indication is the main result of a validation (ETSI EN 319 102-1 §5.1.3).
type Indication string

// The indications, from best to worst. NoSignature is ours: there was nothing to validate.
const (
	TotalPassed   Indication = "TOTAL-PASSED"
	Indeterminate Indication = "INDETERMINATE"
	TotalFailed   Indication = "TOTAL-FAILED"
	NoSignature   Indication = "NO-SIGNATURE"
)

// SubIndication is the reason of an indication (ETSI EN 319 102-1 Table 6).
type SubIndication string

// The sub-indications this validator gives.
const (
	FormatFailure                 SubIndication = "FORMAT_FAILURE"
	HashFailure                   SubIndication = "HASH_FAILURE"
	SigCryptoFailure              SubIndication = "SIG_CRYPTO_FAILURE"
	Revoked                       SubIndication = "REVOKED"
	Expired                       SubIndication = "EXPIRED"
	NotYetValid                   SubIndication = "NOT_YET_VALID"
	SigConstraintsFailure         SubIndication = "SIG_CONSTRAINTS_FAILURE"
	ChainConstraintsFailure       SubIndication = "CHAIN_CONSTRAINTS_FAILURE"
	CertificateChainGeneral       SubIndication = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
	CryptoConstraintsFailure      SubIndication = "CRYPTO_CONSTRAINTS_FAILURE"
	CryptoConstraintsFailureNoPOE SubIndication = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
	TimestampOrderFailure         SubIndication = "TIMESTAMP_ORDER_FAILURE"
	NoSigningCertificateFound     SubIndication = "NO_SIGNING_CERTIFICATE_FOUND"
	NoCertificateChainFound       SubIndication = "NO_CERTIFICATE_CHAIN_FOUND"
	RevokedNoPOE                  SubIndication = "REVOKED_NO_POE"
	OutOfBoundsNoPOE              SubIndication = "OUT_OF_BOUNDS_NO_POE"
	NoPOE                         SubIndication = "NO_POE"
	TryLater                      SubIndication = "TRY_LATER"
	SignedDataNotFound            SubIndication = "SIGNED_DATA_NOT_FOUND"
)

// Integrity answers: are these the bytes that were signed, and is nothing shown that was
// not signed?
type Integrity string

// The integrity verdicts. Modified: the file was changed after signing in a way its
// signatures do not allow. Broken: a signature does not fit its own bytes or structure.
const (
	Intact              Integrity = "intact"
	Modified            Integrity = "modified"
	Broken              Integrity = "broken"
	IntegrityNone       Integrity = "none"
	IntegrityNotChecked Integrity = "not-checked"
)

// Issuer answers: who signed, trusted by whom, at what proven time?
type Issuer string

// The issuer verdicts. Untrusted: no path to a configured anchor. Undetermined: a path was
// found, but revocation or time are open.
const (
	Trusted      Issuer = "trusted"
	Untrusted    Issuer = "untrusted"
	Undetermined Issuer = "undetermined"
)

// StatusNotChecked is the status verdict of every report of this package: no register was
// asked. Who asks one replaces it.
const StatusNotChecked = "not-checked"

// Kind is what a signature is for.
type Kind string

// The kinds.
const (
	KindSignature    Kind = "signature"
	KindDocTimestamp Kind = "doc-timestamp"
)

// Level is the PAdES baseline level a signature reaches (ETSI EN 319 142-1 §6), or none.
type Level string

// The levels.
const (
	LevelNone Level = "none"
	LevelB    Level = "B-B"
	LevelT    Level = "B-T"
	LevelLT   Level = "B-LT"
	LevelLTA  Level = "B-LTA"
)

// ChangesAfter says what came after a signature.
type ChangesAfter string

// The classes of later changes.
const (
	ChangesNone       ChangesAfter = "none"
	ChangesAllowed    ChangesAfter = "allowed"
	ChangesDisallowed ChangesAfter = "disallowed"
)

// TimeSource says where a signing time comes from. Only a time-stamp proves anything.
type TimeSource string

// The sources.
const (
	TimeFromTimestamp TimeSource = "timestamp"
	TimeClaimed       TimeSource = "claimed"
	TimeNone          TimeSource = "none"
)

// Result is the outcome of one check.
type Result string

// The outcomes.
const (
	Passed  Result = "passed"
	Failed  Result = "failed"
	NotDone Result = "not-done"
)

// Check is one thing that was looked at, the clause that asks for it, and what was found,
// in one plain sentence of each language.
type Check struct {
	ID     string `json:"id"`
	Clause string `json:"clause"`
	Result Result `json:"result"`
	VI     string `json:"vi"`
	EN     string `json:"en"`
}

// Certificate describes one certificate of a path for people.
type Certificate struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Serial      string    `json:"serial"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Fingerprint string    `json:"sha256"`
}

// Signature is what was found out about one signature or document time-stamp.
type Signature struct {
	Field     string    `json:"field"`
	SubFilter string    `json:"subfilter"`
	Kind      Kind      `json:"kind"`
	Level     Level     `json:"level"`
	Signer    string    `json:"signer"`
	Reason    string    `json:"reason,omitempty"`
	Location  string    `json:"location,omitempty"`
	Time      time.Time `json:"-"`
	// TimeSource says what Time is worth.
	TimeSource          TimeSource   `json:"time_source"`
	ByteRangeOK         bool         `json:"byte_range_ok"`
	CoversWholeRevision bool         `json:"covers_whole_revision"`
	CoversWholeFile     bool         `json:"covers_whole_file"`
	ByteRange           []int64      `json:"byte_range"`
	ChangesAfter        ChangesAfter `json:"changes_after"`
	Changes             []string     `json:"changes"`
	// ChangesVI are the Changes in Vietnamese, in the same order.
	ChangesVI     []string      `json:"changes_vi"`
	DocMDP        int           `json:"docmdp"`
	Algorithm     string        `json:"algorithm,omitempty"`
	Path          []Certificate `json:"path,omitempty"`
	Anchor        string        `json:"anchor,omitempty"`
	AnchorEN      string        `json:"anchor_en,omitempty"`
	Integrity     Integrity     `json:"integrity"`
	Issuer        Issuer        `json:"issuer"`
	Indication    Indication    `json:"indication"`
	SubIndication SubIndication `json:"sub_indication"`
	Checks        []Check       `json:"checks"`
}

// MarshalJSON adds signing_time, empty when there is none.
func (s Signature) MarshalJSON() ([]byte, error) {
	type plain Signature
	out := struct {
		plain
		SigningTime string `json:"signing_time"`
	}{plain: plain(s)}
	if !s.Time.IsZero() {
		out.SigningTime = s.Time.UTC().Format(time.RFC3339)
	}
	out.Changes, out.ChangesVI = orEmpty(s.Changes), orEmpty(s.ChangesVI)
	out.ByteRange = orEmpty(s.ByteRange)
	out.Checks = orEmpty(s.Checks)
	return json.Marshal(out)
}

// Report is the verdict on one file.
type Report struct {
	File          string        `json:"file"`
	SHA256        string        `json:"sha256"`
	Size          int64         `json:"size"`
	Indication    Indication    `json:"indication"`
	SubIndication SubIndication `json:"sub_indication"`
	Integrity     Integrity     `json:"integrity"`
	Status        string        `json:"status"`
	Issuer        Issuer        `json:"issuer"`
	Signatures    []Signature   `json:"signatures"`
	// Checks are those of the file as a whole.
	Checks   []Check  `json:"checks"`
	Warnings []string `json:"warnings"`
}

// MarshalJSON writes empty lists as [], never as null.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	out := plain(r)
	out.Signatures = orEmpty(r.Signatures)
	out.Checks = orEmpty(r.Checks)
	out.Warnings = orEmpty(r.Warnings)
	return json.Marshal(out)
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Passed reports whether every signature of the file passed and there is at least one.
func (r *Report) Passed() bool { return r.Indication == TotalPassed }

// change lists a change that came after the signature.
func (s *Signature) change(what both) {
	if len(s.Changes) < maxNamed {
		s.Changes, s.ChangesVI = append(s.Changes, what.en), append(s.ChangesVI, what.vi)
	}
}

// check adds a check to a signature.
func (s *Signature) check(id string, result Result, m message) {
	s.Checks = append(s.Checks, m.check(id, result))
}

// settle lowers the indication of a signature; a better one never replaces a worse.
func (s *Signature) settle(i Indication, sub SubIndication) {
	if rank(i) > rank(s.Indication) {
		s.Indication, s.SubIndication = i, sub
	}
}

// rank orders indications, worst highest.
func rank(i Indication) int {
	switch i {
	case TotalPassed:
		return 1
	case Indeterminate:
		return 2
	case TotalFailed:
		return 3
	}
	return 0
}

// conclude draws the verdicts of the file from those of its signatures: each is that of the
// worst signature.
func (r *Report) conclude() {
	r.Status = StatusNotChecked
	if len(r.Signatures) == 0 {
		return
	}
	worstSig, worstInt, worstIss := r.Signatures[0], Intact, Trusted
	for _, s := range r.Signatures {
		if rank(s.Indication) > rank(worstSig.Indication) {
			worstSig = s
		}
		worstInt = worse(worstInt, s.Integrity, Intact, IntegrityNotChecked, Modified, Broken)
		worstIss = worse(worstIss, s.Issuer, Trusted, Undetermined, Untrusted)
	}
	r.Issuer = worstIss
	r.Integrity = worse(worstInt, r.Integrity, Intact, IntegrityNotChecked, Modified, Broken)
	if rank(worstSig.Indication) > rank(r.Indication) {
		r.Indication, r.SubIndication = worstSig.Indication, worstSig.SubIndication
	}
}

// worse returns whichever of a and b comes later in order; a value not in order is best.
func worse[T comparable](a, b T, order ...T) T {
	ia, ib := -1, -1
	for i, v := range order {
		if v == a {
			ia = i
		}
		if v == b {
			ib = i
		}
	}
	if ib > ia {
		return b
	}
	return a
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hexOf(sum[:])
}

// UnmarshalJSON reads what MarshalJSON wrote, as a report has to cross from the process that
// examined the file.
func (s *Signature) UnmarshalJSON(b []byte) error {
	type plain Signature
	in := struct {
		*plain
		SigningTime string `json:"signing_time"`
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(b, &in); err != nil || in.SigningTime == "" {
		return err
	}
	t, err := time.Parse(time.RFC3339, in.SigningTime)
	s.Time = t.UTC()
	return err
}
