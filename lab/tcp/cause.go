package tcp

import (
	"fmt"
	"slices"
	"time"
)

// Cause says how a connection ended: one of a closed set.
type Cause string

const (
	CauseUnreachable      Cause = "unreachable"
	CauseRefused          Cause = "refused"
	CauseRejected         Cause = "rejected"
	CauseUnanswered       Cause = "unanswered"
	CauseAcceptOverflow   Cause = "accept-overflow"
	CauseKeepaliveTimeout Cause = "keepalive-timeout"
	CauseTruncated        Cause = "truncated"
	CauseNoResponse       Cause = "no-response"
	CauseEarlyClose       Cause = "early-close"
	CauseAbandoned        Cause = "abandoned"
	CauseStaleIdle        Cause = "stale-idle"
	CauseStaleFinLost     Cause = "stale-fin-lost"
	CauseStaleCrossing    Cause = "stale-crossing"
	CauseDiscarded        Cause = "discarded"
	CauseClosed           Cause = "closed"
	CauseHalfClosed       Cause = "half-closed"
	CauseAborted          Cause = "aborted"
	CauseFlowForgotten    Cause = "flow-forgotten"
	CauseVanished         Cause = "vanished"
	CauseOpen             Cause = "open"
	CauseUnexplained      Cause = "unexplained"
)

// A CauseInfo describes one cause of the closed set.
type CauseInfo struct {
	Cause  Cause
	Says   string // what happened, in one line
	Advice string // the known fix and the scenario that shows it; "" when there is nothing to fix
	when   func(*story) *finding
}

// Causes is the closed set in the order in which it is decided: the first whose
// function finds its evidence is the connection's. A new cause is one entry
// here and one function in the file of what came first.
var Causes = []CauseInfo{
	{CauseUnreachable, "a router or filter said no",
		"see to the route or the filter that the ICMP message names", (*story).unreachable},
	{CauseRefused, "the host, or a filter in its name, answered SYN with RST",
		"see that the server listens on this address and port: lab show closed-port", (*story).refused},
	{CauseRejected, "a firewall reset the connection in the peer's name",
		"look for a rule that rejects with tcp-reset between the two: lab show connect-rejected", (*story).rejected},
	{CauseAcceptOverflow, "the accept queue was full",
		"let the server accept faster, or give it a longer backlog: lab show accept-overflow", (*story).acceptOverflow},
	{CauseUnanswered, "nothing came back",
		"look for a filter that drops, a host that is gone, or an accept queue that is full (nstat: TcpExtListenOverflows): lab show connect-blackhole", (*story).unanswered},
	{CauseKeepaliveTimeout, "TCP keepalive stayed unanswered",
		"", (*story).keepaliveTimeout},
	// Whatever came before, a peer that went silent rules: what the other end
	// does then, a FIN for example, is the consequence.
	{CauseVanished, "the peer went silent",
		"TCP keepalive finds such a peer sooner: lab show upstream-socket-keepalive", (*story).vanished},
	{CauseTruncated, "the server closed in order inside a response",
		"look at why the server gave up: lab show backend-killed-mid-body", (*story).truncated},
	{CauseNoResponse, "the server closed in order before the first response byte",
		"look at the server's own log for this request: lab show backend-killed-answering", (*story).noResponse},
	{CauseEarlyClose, "the server closed while the request was still coming",
		"a lingering close lets the client read the answer: lab show early-413", (*story).earlyClose},
	{CauseAbandoned, "the client left before the answer was whole",
		"compare the client's timeout with the time the answer takes, or see why it ended: lab show 499-fin", (*story).abandoned},
	{CauseStaleIdle, "request on a connection that the peer had closed; the FIN had arrived",
		"let the client drop idle connections sooner than the server does, or retry: lab show stale-idle-fixed-by-pool", (*story).staleIdle},
	{CauseStaleFinLost, "request on a connection that the peer had closed; its FIN did not arrive",
		"let the client drop idle connections sooner than the server does, or retry: lab show stale-idle-fixed-by-pool", (*story).staleFinLost},
	{CauseStaleCrossing, "request and FIN passed each other",
		"let the client drop idle connections sooner than the server does, or retry: lab show stale-idle-fixed-by-pool", (*story).staleCrossing},
	{CauseDiscarded, "a side threw away what its peer had closed; nothing was lost", "", (*story).discarded},
	{CauseClosed, "closed in order", "", (*story).closed},
	{CauseHalfClosed, "one side closed, the other never did", "", (*story).halfClosed},
	{CauseAborted, "a side threw the connection away",
		"its kernel's reason and counters tell unread data from the rest: lab explain --kernel, --counters (--how says how to record them)", (*story).aborted},
	{CauseFlowForgotten, "the other end, or a box between, knows nothing of this connection any more",
		"TCP keepalive below the idle timeout of the boxes between keeps the flow known: lab show nat-forgets", (*story).flowForgotten},
	{CauseOpen, "still open when the capture ends", "", (*story).open},
	{CauseUnexplained, "none of the others", "", (*story).unexplained},
}

// AlertAdvice is for a connection with a fatal TLS alert, however it ended then.
const AlertAdvice = "the alert is the reason: compare the certificates, versions and ciphers of the two ends: lab show tls-no-shared-cipher"

// Info gives the registry's entry of a cause.
func (c Cause) Info() CauseInfo {
	for _, i := range Causes {
		if i.Cause == c {
			return i
		}
	}
	return CauseInfo{Cause: c}
}

// Weaker says whether, where frames are missing, c may be found in place of another
// cause: that one itself, or what is left of it when those that would tell are the
// ones that are missing. Without its last frames a connection that one side closed
// is half-closed, and one that nobody is seen to end is open. What never was a
// connection is neither, and where nobody closed nothing is half-closed.
func (c Cause) Weaker(than Cause) bool {
	attempts := []Cause{CauseRefused, CauseUnreachable, CauseUnanswered}
	switch c {
	case than, CauseUnexplained:
		return true
	case CauseHalfClosed:
		return !slices.Contains(append(attempts, CauseKeepaliveTimeout, CauseFlowForgotten, CauseOpen), than)
	case CauseOpen:
		return !slices.Contains(attempts, than)
	case CauseFlowForgotten: // by its definition: "or its FIN or RST was lost before the capture"; so is a connection that was reset in an end's name
		return than == CauseStaleCrossing || than == CauseStaleFinLost || than == CauseAbandoned || than == CauseAborted || than == CauseRejected
	case CauseAborted, CauseRefused, CauseDiscarded: // a forger is named only with evidence
		return than == CauseRejected
	}
	return false
}

// finding is what a decision function hands back: the evidence and the words.
type finding struct {
	frames []mark
	text   string
	basis  Basis  // Wire when empty
	during During // instead of what the exchange says, unless unknown
	answer *Answer
	ended  bool   // only the end of the capture makes it so
	doubt  string // Conversation.Doubt, without numbers
}

// Times that separate look-alikes.
const (
	// minRTO is the least time before Linux sends a lone segment again
	// (TCP_RTO_MIN, 200 ms; its tail loss probe is not sooner for a single one).
	minRTO = int64(200 * time.Millisecond)
	// synRTO is the first retransmission time-out of a SYN (RFC 6298 2.1).
	synRTO = int64(time.Second)
	// refusedAgain is how soon, at the least, a SYN that was refused is sent again
	// (Windows: TcpMaxConnectRetransmissions, half a second).
	refusedAgain = int64(500 * time.Millisecond)
	// overflowWithin is how soon after the handshake's last ACK an RST of a
	// full accept queue comes, a retransmission or two included.
	overflowWithin = int64(3 * time.Second)
	// promptly is how soon a kernel answers by itself, a delayed ACK included.
	promptly = int64(100 * time.Millisecond)
	// atOnce is how soon who says good-bye closes.
	atOnce = int64(10 * time.Millisecond)
	// rested is how long a server has been silent, at the least, whose messages are not
	// read and that is said to have been idle.
	rested = int64(900 * time.Millisecond)
	// jitter is what may come on top of a round trip.
	jitter = int64(10 * time.Millisecond)
)

// ---- nothing more came ----

func (st *story) open() *finding {
	if st.closer >= 0 || st.rst != nil || st.inferredAny() || !st.f.has(flowEstablished) || st.oneWay() {
		return nil
	}
	if _, what := st.hushed(); what != "" {
		return nil
	}
	last := later(st.side(0).last, st.side(1).last)
	text := fmt.Sprintf("still open when the capture ended (last segment: frame %d).", st.frame(last))
	switch {
	case !st.atEnd && !st.early:
		text = fmt.Sprintf("still open when its ports were used again (last segment: frame %d).", st.frame(last))
	case st.early:
		text = fmt.Sprintf("still open when it was decided early, idle since frame %d: too many flows.", st.frame(last))
	case st.silence() >= moment:
		text = fmt.Sprintf("still open when the capture ended, %s after its last segment (frame %d).", span(time.Duration(st.silence())), st.frame(last))
	}
	return &finding{frames: []mark{last}, text: text, ended: st.atEnd}
}
