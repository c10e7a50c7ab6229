package certcopy

import "slices"

// State is where a copy is in its life.
type State string

// The states of a copy, in order; then the ways out before a number is taken, then the ways
// out after.
const (
	Received   State = "received"
	Scanned    State = "scanned"
	Submitted  State = "submitted"
	Numbered   State = "numbered"
	Stamped    State = "stamped"
	Signed     State = "signed"
	Sealed     State = "sealed"
	Registered State = "registered"
	Released   State = "released"

	Returned  State = "returned"  // to the clerk, to be put right; may be submitted again
	Refused   State = "refused"   // the original may not be certified; final
	Withdrawn State = "withdrawn" // by the requester; final

	Void     State = "void"     // numbered, never issued; final
	Annulled State = "annulled" // issued, then declared without legal value; final
)

// order is the one way forward.
var order = []State{Received, Scanned, Submitted, Numbered, Stamped, Signed, Sealed, Registered, Released}

// next lists, per state, the states that may follow it. The same table is a trigger in SQL.
var next = map[State][]State{
	Received:   {Scanned, Refused, Withdrawn},
	Scanned:    {Received, Submitted, Refused, Withdrawn},
	Submitted:  {Numbered, Returned, Refused, Withdrawn},
	Returned:   {Received, Scanned, Submitted, Refused, Withdrawn},
	Numbered:   {Stamped, Void},
	Stamped:    {Signed, Void},
	Signed:     {Sealed, Void},
	Sealed:     {Registered, Void},
	Registered: {Released, Annulled},
	Released:   {Annulled},
}

// MayBecome reports whether a copy in state s may enter state t.
func (s State) MayBecome(t State) bool { return slices.Contains(next[s], t) }

// Valid reports whether s is a known state.
func (s State) Valid() bool {
	return slices.Contains(order, s) || slices.Contains([]State{Returned, Refused, Withdrawn, Void, Annulled}, s)
}

// HasNumber reports whether a copy in state s has taken a certificate number.
func (s State) HasNumber() bool {
	return slices.Index(order, s) >= slices.Index(order, Numbered) || s == Void || s == Annulled
}

// Public reports whether a verification code of a copy in state s answers.
func (s State) Public() bool { return s == Released || s == Annulled || s == Void }

// Final reports whether nothing may follow s.
func (s State) Final() bool { return len(next[s]) == 0 }

// Role is what an account may do in its agency. One account may hold several.
type Role string

// The roles of the office.
const (
	Clerk      Role = "clerk"       // công chức tiếp nhận: receives, scans, submits, hands over
	Certifier  Role = "certifier"   // người thực hiện chứng thực: examines and signs
	SealKeeper Role = "seal_keeper" // văn thư: seals for the agency
	Admin      Role = "admin"       // quản trị: accounts, authorisations, templates
	Auditor    Role = "auditor"     // reads the audit trail
)

// SignatureRole is whose signature an artifact belongs to.
type SignatureRole string

// The two signatures of a copy, in their order.
const (
	ByCertifier SignatureRole = "certifier"
	ByAgency    SignatureRole = "agency"
)
