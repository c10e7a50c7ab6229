package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks of the reverse proxies in front of the service. What they say of
// whom they serve is believed; what anybody else says is not looked at.
type Proxies []netip.Prefix

// ParseProxies reads networks ("10.0.0.0/8", "2001:db8::/32") and single addresses. A network
// that holds every address is refused: any visitor could then name himself anybody.
func ParseProxies(networks []string) (Proxies, error) {
	var proxies Proxies
	for _, text := range networks {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			ip, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("trusted proxy %q is neither a network nor an address", text)
			}
			p = netip.PrefixFrom(ip.Unmap().WithZone(""), ip.Unmap().BitLen())
		}
		if p.Bits() == 0 {
			return nil, fmt.Errorf("trusted proxy %q is everybody", text)
		}
		proxies = append(proxies, p.Masked())
	}
	return proxies, nil
}

// Behind puts in the place of a request's remote address the one that the proxies vouch for:
// going through the hops of X-Forwarded-For (or Forwarded, RFC 7239) from the right, the
// first that is no proxy of ours. What stands further left was written by the visitor.
//
// A request that did not come through one of the proxies keeps its address whatever it says.
// Where a proxy's account cannot be read, or two headers disagree (one then is the visitor's
// own, passed through), the last hop that is certain stands for it, so that nobody gets
// a budget of his own by writing nonsense. It is to be the outermost handler.
func (p Proxies) Behind(next http.Handler) http.Handler {
	if len(p) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if visitor := p.visitor(r); visitor != "" {
			r = r.Clone(r.Context())
			r.RemoteAddr = visitor
		}
		next.ServeHTTP(w, r)
	})
}

// visitor returns the address and port to put in place; "" to leave the one there is.
func (p Proxies) visitor(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !p.holds(peer.Addr()) {
		return ""
	}
	listed, named := r.Header.Values("X-Forwarded-For"), r.Header.Values("Forwarded")
	var found netip.Addr
	switch {
	case len(listed) > 0 && len(named) > 0:
		a, b := p.outermost(peer.Addr(), hops(listed)), p.outermost(peer.Addr(), forwardedHops(named))
		if a != b {
			return ""
		}
		found = a
	case len(listed) > 0:
		found = p.outermost(peer.Addr(), hops(listed))
	case len(named) > 0:
		found = p.outermost(peer.Addr(), forwardedHops(named))
	default:
		return ""
	}
	return netip.AddrPortFrom(found, 0).String()
}

// outermost walks from the peer to the left as long as proxies of ours speak.
func (p Proxies) outermost(peer netip.Addr, hops []string) netip.Addr {
	at := peer
	for i := len(hops) - 1; i >= 0 && p.holds(at); i-- {
		next, ok := hopAddress(hops[i])
		if !ok {
			break
		}
		at = next
	}
	return at
}

func (p Proxies) holds(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, n := range p {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}

// maxHops bounds what is looked at of a header; honest chains are a few hops long, and the
// hops that count stand last.
const maxHops = 32

// hops splits the values of X-Forwarded-For.
func hops(values []string) []string {
	all := strings.Split(strings.Join(values, ","), ",")
	return all[max(0, len(all)-maxHops):]
}

// forwardedHops returns the "for" of each element of Forwarded (RFC 7239 §4); an element
// without one is a hop that cannot be read.
func forwardedHops(values []string) []string {
	elements := hops(values)
	for i, e := range elements {
		elements[i] = ""
		for pair := range strings.SplitSeq(e, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if strings.EqualFold(name, "for") {
				elements[i] = strings.Trim(value, `"`)
			}
		}
	}
	return elements
}

// hopAddress reads "203.0.113.9", "203.0.113.9:4711", "2001:db8::1" and "[2001:db8::1]:4711".
func hopAddress(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return ip.Unmap().WithZone(""), err == nil
}
