package trust

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidSubjectAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidEmailAddress    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}
)

// Forms of a GeneralName (RFC 5280 §4.2.1.6), by their context tag.
const (
	formMail      = 1
	formDNS       = 2
	formDirectory = 4
	formURI       = 6
	formAddress   = 7
)

// maxNames bounds the subtrees of one extension and the names of one certificate, so that a
// stranger's certificates cannot make comparing them expensive.
const maxNames = 500

// generalName is one name of a certificate or one subtree of a constraint.
type generalName struct {
	form      uint8
	directory name
	value     []byte
}

func (g generalName) String() string {
	if g.form == formDirectory {
		return "directory name " + strings.ReplaceAll(strings.Join(g.directory, ","), "\x00", "+")
	}
	return fmt.Sprintf("name of form %d %q", g.form, g.value)
}

func readGeneralName(s *cryptobyte.String) (generalName, bool) {
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadAnyASN1(&value, &tag) {
		return generalName{}, false
	}
	g := generalName{form: uint8(tag) & 0x1f, value: value}
	if g.form == formDirectory {
		g.directory = parseName(value)
		return g, g.directory != nil
	}
	return g, true
}

// nameConstraints are those of one authority: names have to be in one of the permitted
// subtrees of their form, if there are any, and in none of the excluded.
type nameConstraints struct{ permitted, excluded []generalName }

// constraintsOf reads the extension (RFC 5280 §4.2.1.10); nil if there is none.
func constraintsOf(cert *x509.Certificate) (*nameConstraints, error) {
	der := extension(cert, oidNameConstraints)
	if der == nil {
		return nil, nil
	}
	s := cryptobyte.String(der)
	var body, permitted, excluded cryptobyte.String
	var c nameConstraints
	ok := s.ReadASN1(&body, cbasn1.SEQUENCE) && s.Empty() && body.ReadOptionalASN1(&permitted, nil, contextTag(0)) &&
		body.ReadOptionalASN1(&excluded, nil, contextTag(1)) && body.Empty()
	if !ok || !readSubtrees(permitted, &c.permitted) || !readSubtrees(excluded, &c.excluded) {
		return nil, fmt.Errorf("%w: %s: name constraints cannot be read", ErrConstraints, cert.Subject)
	}
	return &c, nil
}

// readSubtrees reads GeneralSubtrees. Minimum and maximum may not be used (RFC 5280
// §4.2.1.10); one that does is not understood.
func readSubtrees(s cryptobyte.String, into *[]generalName) bool {
	for !s.Empty() {
		var subtree cryptobyte.String
		if len(*into) == maxNames || !s.ReadASN1(&subtree, cbasn1.SEQUENCE) {
			return false
		}
		g, ok := readGeneralName(&subtree)
		if !ok || !subtree.Empty() {
			return false
		}
		*into = append(*into, g)
	}
	return true
}

func extension(cert *x509.Certificate, oid asn1.ObjectIdentifier) []byte {
	for _, e := range cert.Extensions {
		if e.Id.Equal(oid) {
			return e.Value
		}
	}
	return nil
}

// namesOf are the subject and the alternative names of a certificate. Where no alternative
// name is a mail address, those in the subject are taken (RFC 5280 §4.2.1.10).
func namesOf(cert *x509.Certificate) ([]generalName, error) {
	bad := fmt.Errorf("%w: %s: names cannot be read", ErrConstraints, cert.Subject)
	var names []generalName
	subject := parseName(cert.RawSubject)
	if subject == nil {
		return nil, bad
	}
	if len(subject) > 0 {
		names = append(names, generalName{form: formDirectory, directory: subject})
	}
	hasMail := false
	if der := extension(cert, oidSubjectAltName); der != nil {
		s := cryptobyte.String(der)
		var list cryptobyte.String
		if !s.ReadASN1(&list, cbasn1.SEQUENCE) || !s.Empty() {
			return nil, bad
		}
		for !list.Empty() {
			g, ok := readGeneralName(&list)
			if !ok || len(names) > maxNames {
				return nil, bad
			}
			hasMail = hasMail || g.form == formMail
			names = append(names, g)
		}
	}
	if !hasMail {
		for _, a := range cert.Subject.Names {
			if text, ok := a.Value.(string); ok && a.Type.Equal(oidEmailAddress) {
				names = append(names, generalName{form: formMail, value: []byte(text)})
			}
		}
	}
	return names, nil
}

// check tells whether names keep to the constraints.
func (c *nameConstraints) check(names []generalName) error {
	for _, n := range names {
		constrained, permitted := false, false
		for _, base := range c.permitted {
			constrained = constrained || base.form == n.form
			permitted = permitted || n.in(base)
		}
		if constrained && !permitted {
			return fmt.Errorf("%w: %s is not permitted to its issuer", ErrConstraints, n)
		}
		for _, base := range c.excluded {
			if n.excludedBy(base) {
				return fmt.Errorf("%w: %s is excluded for its issuer", ErrConstraints, n)
			}
		}
	}
	return nil
}

// in tells whether a name lies in a permitted subtree. Of a form that is not known nothing
// does.
func (g generalName) in(base generalName) bool {
	if g.form != base.form {
		return false
	}
	switch g.form {
	case formDirectory:
		return g.directory.within(base.directory)
	case formDNS:
		return inDomain(string(g.value), string(base.value), true)
	case formMail:
		return mailIn(string(g.value), string(base.value))
	case formURI:
		host, ok := hostOf(string(g.value))
		return ok && inDomain(host, string(base.value), false)
	case formAddress:
		return addressIn(g.value, base.value)
	}
	return false
}

// excludedBy errs on the other side: what cannot be compared counts as excluded.
func (g generalName) excludedBy(base generalName) bool {
	if g.form != base.form {
		return false
	}
	switch g.form {
	case formDirectory, formDNS:
		return g.in(base)
	case formMail:
		return g.in(base) || strings.Count(string(g.value), "@") != 1
	case formURI:
		_, ok := hostOf(string(g.value))
		return !ok || g.in(base)
	case formAddress:
		return g.in(base) || (len(g.value) != 4 && len(g.value) != 16) || (len(base.value) != 8 && len(base.value) != 32)
	}
	return true
}

// inDomain: a constraint with a leading dot holds for the hosts below it; one without for
// the host itself and, of DNS names, for those below it.
func inDomain(host, base string, below bool) bool {
	host, base = strings.ToLower(strings.TrimSuffix(host, ".")), strings.ToLower(base)
	switch {
	case base == "":
		return true
	case strings.HasPrefix(base, "."):
		return strings.HasSuffix(host, base) && len(host) > len(base)
	}
	return host == base || (below && strings.HasSuffix(host, "."+base))
}

// mailIn: a constraint is an address, a host, or, with a leading dot, the hosts of a domain.
func mailIn(address, base string) bool {
	local, host, ok := strings.Cut(address, "@")
	if !ok || strings.Contains(host, "@") {
		return false
	}
	if wantLocal, wantHost, isAddress := strings.Cut(base, "@"); isAddress {
		return local == wantLocal && strings.EqualFold(host, wantHost)
	}
	return inDomain(host, base, false)
}

// hostOf returns the host of a URI; one that is missing or an IP address cannot be held to a
// constraint (RFC 5280 §4.2.1.10).
func hostOf(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return "", false
	}
	return u.Hostname(), true
}

// addressIn: the constraint is an address followed by its mask.
func addressIn(ip, base []byte) bool {
	if len(base) != 2*len(ip) || (len(ip) != net.IPv4len && len(ip) != net.IPv6len) {
		return false
	}
	address, mask := base[:len(ip)], base[len(ip):]
	for i := range ip {
		if ip[i]&mask[i] != address[i]&mask[i] {
			return false
		}
	}
	return true
}
