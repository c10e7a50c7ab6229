package signertest

import (
	"crypto/x509"
	"net/http"
	"time"
)

// Service is one of the services of a PKI.
type Service string

// The services, each with its path below Config.BaseURL.
const (
	OCSPService Service = "ocsp" // /ocsp, GET and POST
	CRLService  Service = "crl"  // /crl/root.crl, /crl/issuing.crl
	CAService   Service = "ca"   // /ca/root.cer, /ca/issuing.cer
	TSAService  Service = "tsa"  // /tsa
)

// Fault is something that goes wrong in a service.
type Fault string

// The faults. Those a service does not know leave it honest.
const (
	Honest       Fault = ""
	Slow         Fault = "slow"          // answers after Config.Slowness
	Unavailable  Fault = "unavailable"   // HTTP 503
	Throttled    Fault = "throttled"     // HTTP 429 with Retry-After: 1200
	Garbage      Fault = "garbage"       // bytes that are no answer
	Endless      Fault = "endless"       // an answer that does not end
	Rejecting    Fault = "rejecting"     // a well-formed refusal (TSA, OCSP)
	WrongNonce   Fault = "wrong-nonce"   // TSA, OCSP
	WrongImprint Fault = "wrong-imprint" // TSA: stamps something else; OCSP: speaks of another certificate
	WrongSigner  Fault = "wrong-signer"  // signed by a certificate without the right to (TSA, OCSP, CRL)
	Forged       Fault = "forged"        // the signature value is wrong (TSA, OCSP, CRL)
	Stale        Fault = "stale"         // OCSP, CRL: nextUpdate has passed
	Future       Fault = "future"        // OCSP, CRL: thisUpdate is yet to come; TSA: genTime is
	NoNonce      Fault = "no-nonce"      // OCSP, TSA: leaves the nonce out
)

// SetFault makes a service go wrong, or honest again.
func (p *PKI) SetFault(s Service, f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults[s] = f
}

func (p *PKI) fault(s Service) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults[s]
}

// Revocation is the status of an issued certificate; the zero value is "good".
type Revocation struct {
	At     time.Time `json:"at"`
	Reason int       `json:"reason"` // CRLReason, RFC 5280 §5.3.1
}

// Revoke revokes a certificate as of a time. Answers about it change at once.
func (p *PKI) Revoke(cert *x509.Certificate, at time.Time, reason int) error {
	p.mu.Lock()
	p.status[cert.SerialNumber.Text(16)] = Revocation{At: at, Reason: reason}
	p.mu.Unlock()
	return p.store()
}

// Forget makes the OCSP service answer "unknown" for a certificate.
func (p *PKI) Forget(cert *x509.Certificate) error {
	p.mu.Lock()
	delete(p.status, cert.SerialNumber.Text(16))
	p.mu.Unlock()
	return p.store()
}

// Handler serves /ocsp, /crl/, /ca/ and /tsa.
func (p *PKI) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/ocsp", p.withFaults(OCSPService, p.serveOCSP))
	mux.Handle("/ocsp/", p.withFaults(OCSPService, p.serveOCSP))
	mux.Handle("GET /crl/{file}", p.withFaults(CRLService, p.serveCRL))
	mux.Handle("GET /ca/{file}", p.withFaults(CAService, p.serveCA))
	mux.Handle("POST /tsa", p.withFaults(TSAService, p.serveTSA))
	return mux
}

// withFaults plays the faults that are the same in all services.
func (p *PKI) withFaults(s Service, honest http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p.fault(s) {
		case Slow:
			select {
			case <-r.Context().Done():
				return
			case <-time.After(p.cfg.Slowness):
			}
		case Unavailable:
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		case Throttled:
			w.Header().Set("Retry-After", "1200")
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		case Garbage:
			_, _ = w.Write([]byte("<html>502 Bad Gateway</html>"))
			return
		case Endless:
			writeEndless(w, r)
			return
		}
		honest(w, r)
	})
}

func writeEndless(w http.ResponseWriter, r *http.Request) {
	block := make([]byte, 64<<10)
	block[0] = 0x30
	for r.Context().Err() == nil {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// serveCA answers with an authority's certificate.
func (p *PKI) serveCA(w http.ResponseWriter, r *http.Request) {
	for _, ca := range []*CA{p.Root, p.Issuing} {
		if r.PathValue("file") == ca.file+".cer" {
			w.Header().Set("Content-Type", "application/pkix-cert")
			_, _ = w.Write(ca.Certificate.Raw)
			return
		}
	}
	http.NotFound(w, r)
}
