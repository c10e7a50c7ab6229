package pkcs11

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// Errors of this package.
var (
	// ErrURI: the address of the key is not one by RFC 7512, or lacks what is needed.
	ErrURI = errors.New("malformed PKCS #11 URI")
	// ErrNoCgo: this program was built without cgo and cannot load a PKCS #11 module.
	ErrNoCgo = errors.New("pkcs11: this program was built without cgo; build it with CGO_ENABLED=1 and a C compiler to use tokens and HSMs")
	// ErrPIN: the PIN is wrong or locked. It is not tried again.
	ErrPIN = errors.New("PIN refused")
	// ErrNoKey: the token has no such private key, or several.
	ErrNoKey = errors.New("no such key")
)

// URI names a private key in a token.
type URI struct {
	// Module is the path of the PKCS #11 library (module-path).
	Module string
	// Token, Serial, Manufacturer and Model select the token; empty matches any.
	Token, Serial, Manufacturer, Model string
	// Slot is the slot's number (slot-id), -1 if any.
	Slot int
	// Object and ID select the key: CKA_LABEL and CKA_ID. One of them is needed.
	Object string
	ID     []byte
	// PINFile is where the PIN is read from (pin-source); may be empty.
	PINFile string
}

// ParseURI reads a URI by RFC 7512 §2.3 with module-path. Unknown attributes are refused, as
// are pin-value, which would put the PIN into process lists and logs, and module-name, which leaves
// open what is loaded.
func ParseURI(s string) (URI, error) {
	rest, ok := strings.CutPrefix(s, "pkcs11:")
	if !ok {
		return URI{}, fmt.Errorf("%w: it begins with %q", ErrURI, "pkcs11:")
	}
	u := URI{Slot: -1}
	path, query, _ := strings.Cut(rest, "?")
	if err := u.attributes(path, ";", u.setPath); err != nil {
		return URI{}, err
	}
	if err := u.attributes(query, "&", u.setQuery); err != nil {
		return URI{}, err
	}
	switch {
	case !filepath.IsAbs(u.Module):
		return URI{}, fmt.Errorf("%w: module-path must be an absolute path", ErrURI)
	case u.Object == "" && len(u.ID) == 0:
		return URI{}, fmt.Errorf("%w: object or id must name the key", ErrURI)
	case u.Token == "" && u.Serial == "" && u.Slot < 0:
		return URI{}, fmt.Errorf("%w: token, serial or slot-id must name the token", ErrURI)
	}
	return u, nil
}

// attributes reads name=value pairs, each name at most once.
func (u *URI) attributes(s, separator string, set func(name, value string) error) error {
	seen := map[string]bool{}
	for _, pair := range strings.Split(s, separator) {
		if pair == "" {
			continue
		}
		name, encoded, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(encoded)
		if !ok || err != nil || seen[name] || value == "" {
			return fmt.Errorf("%w: attribute %q", ErrURI, name)
		}
		seen[name] = true
		if err := set(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (u *URI) setPath(name, value string) error {
	switch name {
	case "token":
		u.Token = value
	case "serial":
		u.Serial = value
	case "manufacturer":
		u.Manufacturer = value
	case "model":
		u.Model = value
	case "object":
		u.Object = value
	case "id":
		u.ID = []byte(value)
	case "slot-id":
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return fmt.Errorf("%w: slot-id %q", ErrURI, value)
		}
		u.Slot = int(n)
	case "type":
		if value != "private" {
			return fmt.Errorf("%w: type %q, a private key is needed", ErrURI, value)
		}
	default:
		return fmt.Errorf("%w: unknown attribute %q", ErrURI, name)
	}
	return nil
}

func (u *URI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		u.Module = value
	case "pin-source":
		u.PINFile = strings.TrimPrefix(value, "file:")
		if !filepath.IsAbs(u.PINFile) {
			return fmt.Errorf("%w: pin-source must be the absolute path of a file", ErrURI)
		}
	case "pin-value":
		return fmt.Errorf("%w: pin-value would show the PIN to others; use pin-source with a file", ErrURI)
	default:
		return fmt.Errorf("%w: unknown attribute %q", ErrURI, name)
	}
	return nil
}

// String writes the URI; it holds no secret.
func (u URI) String() string {
	var path []string
	add := func(name, value string) {
		if value != "" {
			path = append(path, name+"="+escape(value))
		}
	}
	add("token", u.Token)
	add("manufacturer", u.Manufacturer)
	add("serial", u.Serial)
	add("model", u.Model)
	if u.Slot >= 0 {
		add("slot-id", strconv.Itoa(u.Slot))
	}
	add("object", u.Object)
	add("id", string(u.ID))
	s := "pkcs11:" + strings.Join(path, ";") + "?module-path=" + escape(u.Module)
	if u.PINFile != "" {
		s += "&pin-source=" + escape("file:"+u.PINFile)
	}
	return s
}

// escape writes everything but RFC 3986's unreserved characters as %XX.
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
