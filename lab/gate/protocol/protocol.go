// Package protocol is what the gate of a host tells its conductor: one Event a
// line, as JSON, on the gate's standard output.
package protocol

import "net/netip"

// The orders, as `gate -order` takes them.
const (
	FINFirst = "FIN first"
	RSTFirst = "RST first"
	FINLost  = "FIN lost"
)

// Kind says what has happened.
type Kind string

const (
	// Ready: the rules are in force. It is the first event, and the only one
	// that is of no connection.
	Ready Kind = "ready"
	// FINHeld: a FIN has come and waits. Copies counts it and those that have
	// been sent again since; the copies are dropped.
	FINHeld Kind = "fin-held"
	// RequestHeld: data of ours, on a connection that is older than the gate,
	// waits for a FIN.
	RequestHeld Kind = "request-held"
	// RequestLeft: the first data of ours behind a FIN that has been held or
	// dropped is on its way.
	RequestLeft Kind = "request-left"
	// FINReleased: the FIN that was held has been delivered.
	FINReleased Kind = "fin-released"
	// FINDropped: a FIN will not be delivered. Copies counts how often it has
	// come so far: with FINLost, 2 is the first that was sent again.
	FINDropped Kind = "fin-dropped"
	// RST: a RST has come; Did says what became of it.
	RST Kind = "rst"
)

// What became of a RST.
const (
	Accepted = "accepted" // it has been delivered
	Held     = "held"     // it waits behind the FIN; another event tells when it is Accepted
)

// Event is something that the gate has done to a segment. The lines are in the
// order in which it was done.
type Event struct {
	Event  Kind           `json:"event"`
	Time   int64          `json:"time"` // when it was done, in nanoseconds of the host's clock since 1970
	Local  netip.AddrPort `json:"local,omitzero"`
	Remote netip.AddrPort `json:"remote,omitzero"` // the side whose FIN is held
	Copies int            `json:"copies,omitempty"`
	Data   int            `json:"data,omitempty"` // bytes of data in the segment
	Did    string         `json:"did,omitempty"`
}
