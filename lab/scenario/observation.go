package scenario

import (
	"fmt"
	"net/netip"
	"time"

	"rstlab/lab/tcp"
)

// Observation is everything that was seen of one play.
type Observation struct {
	Outcomes      []Outcome
	Frames        []tcp.Frame        // of all taps, in the order of time
	Conversations []tcp.Conversation // how each connection in Frames ended
	Names         map[netip.Addr]Host
	ErrorLog      []string // nginx's, whole
	AccessLog     []string
	Ran           []string // the requests that the back ends say they ran: "POST /"
	Steps         []Taken
	Played        time.Time // when the last step and the last outcome were over, by the clock of the captures
	Sockets       []Snapshot
	Kernel        []KernelReset // why the kernel sent each RST; nil where it could not be asked
	Counters      map[Host][]Counter
	Versions      map[Host]string // what served: "nginx 1.26.3", "okhttp 3.13.1"
	System        string          // the kernel
	Took          time.Duration
}

// Taken is a step when it was taken, by the clock of the captures.
type Taken struct {
	Step Step
	Time time.Time
}

// Outcome is what the client said of one request: a line of the contract in
// lab/clients.
type Outcome struct {
	N         int     `json:"n"`
	Status    int     `json:"status"` // 0: no answer began
	Error     *Error  `json:"error"`
	LocalPort int     `json:"local_port"` // of the connection that the last try used; 0: none
	Body      string  `json:"body,omitempty"`
	Bytes     int     `json:"bytes,omitempty"`
	MS        float64 `json:"ms,omitempty"` // milliseconds from request to outcome
}

// Error is a failed request in the client's own words.
type Error struct {
	Class string `json:"class"` // reset, eof, timeout, refused, unreachable, other
	Text  string `json:"text"`  // word for word, causes included, a line each
}

// Snapshot is what ss showed in the namespace of one host.
type Snapshot struct {
	Before  int // the number of the request that came next; 0 at the end
	Host    Host
	Time    time.Time
	Text    string // as ss wrote it
	Sockets []tcp.Socket
}

// When says when a look at the sockets was taken: before the request with this
// number, or, for 0, at the end.
func When(before int) string {
	if before == 0 {
		return "at the end"
	}
	return fmt.Sprintf("before request %d", before)
}

// KernelReset is one event of the tracepoint tcp:tcp_send_reset.
type KernelReset struct {
	tcp.KernelReset
	Line string // as the kernel wrote it
}

// Counter is a counter of /proc/net/snmp or /proc/net/netstat that moved.
type Counter struct {
	Name   string `json:"name"` // TcpExt:TCPAbortOnClose
	Before int64  `json:"before"`
	After  int64  `json:"after"`
}

// Of returns the host of an address, or "" for an address of no host.
func (o Observation) Of(a netip.AddrPort) Host { return o.Names[a.Addr()] }

// Shows returns the states of the sockets of a host, "" for any, that ss showed
// before the request with this number.
func Shows(snapshots []Snapshot, h Host, before int) []string {
	var states []string
	for _, snapshot := range snapshots {
		if snapshot.Before != before || h != "" && snapshot.Host != h {
			continue
		}
		for _, socket := range snapshot.Sockets {
			states = append(states, socket.State)
		}
	}
	return states
}
