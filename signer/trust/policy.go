package trust

import (
	"crypto/x509"
	"fmt"
	"slices"
)

// Policies are the inputs of path validation that concern certificate policies (RFC 5280
// §6.1.1 c, e, f, g). The zero value accepts every policy.
type Policies struct {
	// Acceptable are the policies of which one has to hold where a policy is required, as dotted
	// object identifiers; none: any (user-initial-policy-set).
	Acceptable []string
	// RequireExplicit wants an acceptable policy in every path (initial-explicit-policy).
	RequireExplicit bool
	// InhibitMapping forbids that an authority equates policies (initial-policy-mapping-inhibit).
	InhibitMapping bool
	// InhibitAny takes anyPolicy for no policy (initial-any-policy-inhibit).
	InhibitAny bool
}

// anyPolicy is the special policy of RFC 5280 §4.2.1.4.
const anyPolicy = "2.5.29.32.0"

// maxPolicies bounds the policies and the mappings of one certificate.
const maxPolicies = 100

// policyNode is a policy that holds down to one certificate of the path. The tree of RFC
// 5280 §6.1.2 grows exponentially with hostile certificates; as RFC 9618 does, nodes of one depth with
// the same policy are one node with several parents.
type policyNode struct {
	policy   string
	expected []string // in the next certificate
	parents  []*policyNode
	domain   map[string]bool // memo of domains
}

// policyState is the state of policy processing while a path is walked from the anchor.
type policyState struct {
	inputs Policies
	// depth are the nodes of the certificate last processed, by policy; empty: no policy holds.
	depth map[string]*policyNode
	// Certificates that may still come until the rule starts (RFC 5280 §6.1.2 d to f).
	explicit, mapping, any int
}

func newPolicyState(inputs Policies, length int) *policyState {
	start := func(now bool) int {
		if now {
			return 0
		}
		return length + 1
	}
	root := &policyNode{policy: anyPolicy, expected: []string{anyPolicy}}
	return &policyState{inputs: inputs, depth: map[string]*policyNode{anyPolicy: root},
		explicit: start(inputs.RequireExplicit), mapping: start(inputs.InhibitMapping), any: start(inputs.InhibitAny)}
}

// add is RFC 5280 §6.1.3 d to f: the policies of the next certificate.
func (s *policyState) add(cert *x509.Certificate, selfIssued, last bool) error {
	if len(cert.Policies) > maxPolicies || len(cert.PolicyMappings) > maxPolicies {
		return fmt.Errorf("%w: %s: too many policies", ErrConstraints, cert.Subject)
	}
	next := map[string]*policyNode{}
	hasAny := false
	for _, id := range cert.Policies {
		policy := id.String()
		hasAny = hasAny || policy == anyPolicy
		if parents := s.expecting(policy); policy != anyPolicy && len(parents) > 0 {
			next[policy] = &policyNode{policy: policy, expected: []string{policy}, parents: parents}
		} else if top := s.depth[anyPolicy]; policy != anyPolicy && top != nil {
			next[policy] = &policyNode{policy: policy, expected: []string{policy}, parents: []*policyNode{top}}
		}
	}
	if hasAny && (s.any > 0 || (!last && selfIssued)) {
		s.addAny(next)
	}
	s.depth = next
	if s.explicit <= 0 && len(s.depth) == 0 {
		return fmt.Errorf("%w: %s: no policy holds where one is required", ErrConstraints, cert.Subject)
	}
	return nil
}

// expecting are the nodes that expect a policy.
func (s *policyState) expecting(policy string) []*policyNode {
	var out []*policyNode
	for _, n := range s.depth {
		if slices.Contains(n.expected, policy) {
			out = append(out, n)
		}
	}
	return out
}

// addAny carries on every policy that is expected and not there (§6.1.3 d 2).
func (s *policyState) addAny(next map[string]*policyNode) {
	missing := map[string]*policyNode{}
	for _, n := range s.depth {
		for _, policy := range n.expected {
			if next[policy] != nil {
				continue
			}
			if missing[policy] == nil {
				missing[policy] = &policyNode{policy: policy, expected: []string{policy}}
			}
			missing[policy].parents = append(missing[policy].parents, n)
		}
	}
	for policy, n := range missing {
		next[policy] = n
	}
}

// prepare is RFC 5280 §6.1.4 a, b, h to j: mappings and limits of an authority.
func (s *policyState) prepare(cert *x509.Certificate, selfIssued bool) error {
	mapped := map[string][]string{}
	for _, m := range cert.PolicyMappings {
		from, to := m.IssuerDomainPolicy.String(), m.SubjectDomainPolicy.String()
		if from == anyPolicy || to == anyPolicy {
			return fmt.Errorf("%w: %s: maps anyPolicy", ErrConstraints, cert.Subject)
		}
		mapped[from] = append(mapped[from], to)
	}
	top := s.depth[anyPolicy]
	for from, to := range mapped {
		switch node := s.depth[from]; {
		case s.mapping <= 0:
			delete(s.depth, from)
		case node != nil:
			node.expected = to
		case top != nil:
			s.depth[from] = &policyNode{policy: from, expected: to, parents: top.parents}
		}
	}
	if !selfIssued {
		s.explicit, s.mapping, s.any = max(s.explicit-1, 0), max(s.mapping-1, 0), max(s.any-1, 0)
	}
	lower(&s.explicit, cert.RequireExplicitPolicy, cert.RequireExplicitPolicyZero)
	lower(&s.mapping, cert.InhibitPolicyMapping, cert.InhibitPolicyMappingZero)
	lower(&s.any, cert.InhibitAnyPolicy, cert.InhibitAnyPolicyZero)
	return nil
}

// lower takes over a limit of a certificate, which crypto/x509 gives as number and presence.
func lower(counter *int, value int, zero bool) {
	if (value > 0 || (value == 0 && zero)) && value < *counter {
		*counter = value
	}
}

// finish is RFC 5280 §6.1.5 a, b, g: the policies under which the path holds, sorted;
// anyPolicy stands for all. None is an error only where one is required.
func (s *policyState) finish(cert *x509.Certificate) ([]string, error) {
	explicit := max(s.explicit-1, 0)
	if cert.RequireExplicitPolicyZero {
		explicit = 0
	}
	held := map[string]bool{}
	for _, n := range s.depth {
		for policy := range n.domains() {
			held[policy] = true
		}
	}
	var out []string
	switch {
	case len(s.inputs.Acceptable) == 0:
		for policy := range held {
			out = append(out, policy)
		}
	default:
		for _, policy := range s.inputs.Acceptable {
			if (held[policy] || held[anyPolicy]) && !slices.Contains(out, policy) {
				out = append(out, policy)
			}
		}
	}
	if explicit == 0 && len(out) == 0 {
		return nil, fmt.Errorf("%w: %s: no acceptable policy holds where one is required", ErrConstraints, cert.Subject)
	}
	slices.Sort(out)
	return out, nil
}

// domains are the policies of the anchor's own domain that a node stands for: those of its
// ancestors, or itself, that stand directly below anyPolicy.
func (n *policyNode) domains() map[string]bool {
	if n.domain == nil {
		n.domain = map[string]bool{}
		for _, p := range n.parents {
			if p.policy == anyPolicy {
				n.domain[n.policy] = true
				continue
			}
			for policy := range p.domains() {
				n.domain[policy] = true
			}
		}
		if n.parents == nil { // the root
			n.domain[anyPolicy] = true
		}
	}
	return n.domain
}
