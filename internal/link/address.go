package link

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// ErrBase is wrapped by every error of ParseBase.
var ErrBase = errors.New("not a public address")

// Paths under the site's address.
const (
	VerifyPath = "/v/"
	SharePath  = "/s/"
)

// Base is the public address of the site. It is printed in every QR, so it is permanent.
type Base struct{ text string }

// ParseBase reads an address such as https://saoy.example.vn. It must be https, or http on a
// loopback host; without user, path, query or fragment: the site lives at the root, where the
// access log knows which paths hold codes and tokens. A trailing slash is dropped; scheme and
// host are put in lower case. Errors wrap ErrBase.
func ParseBase(s string) (Base, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Base{}, fmt.Errorf("%w: %v", ErrBase, err)
	}
	switch {
	case u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return Base{}, fmt.Errorf("%w: no host", ErrBase)
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#"):
		return Base{}, fmt.Errorf("%w: user, path, query and fragment are not allowed", ErrBase)
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return Base{}, fmt.Errorf("%w: it must be https, or http on a loopback host", ErrBase)
	}
	return Base{text: u.Scheme + "://" + strings.ToLower(u.Host)}, nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// String returns the address without a trailing slash.
func (b Base) String() string { return b.text }

// VerifyURL returns the address at which the code c answers. It holds the code in its
// canonical form and nothing else, so that it is short in a QR.
func VerifyURL(b Base, c Code) string { return b.text + VerifyPath + c.text }

// ShareURL returns the sharing link. It is as secret as the token: show it once, log it never.
func ShareURL(b Base, t Token) string { return b.text + SharePath + t.text }

// FindCode reads a code out of what people paste into the code field: a code, or the
// address VerifyURL makes, of whatever site. Errors are those of ParseCode.
func FindCode(typed string) (Code, error) {
	if i := strings.LastIndex(typed, VerifyPath); i >= 0 {
		typed = typed[i+len(VerifyPath):]
		if j := strings.IndexAny(typed, "/?#"); j >= 0 {
			typed = typed[:j]
		}
	}
	return ParseCode(typed)
}
