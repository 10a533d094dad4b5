package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var acceptOverflowAbort = add(scenario.Scenario{
	ID:    "accept-overflow-abort",
	Title: "tcp_abort_on_overflow: a full accept queue answers inside a handshake with RST, and nginx says 502",
	Why: `As in accept-overflow-late, the queue fills up between nginx's SYN and the ACK that ends its handshake, while
the back end hangs; but its kernel has tcp_abort_on_overflow set to 1, and answers with RST in place of silence. nginx's
connection stood, and its request was sent: "recv() failed (104: Connection reset by peer) while reading response
header from upstream", 502, at once: that the back end goes on 2 s later helps nobody any more. It looks like a server that crashed over the request, though none has seen
it. For a SYN that finds the queue full the setting changes nothing: it is dropped (accept-overflow).`,
	Refs: []string{"tcp(7), tcp_abort_on_overflow", "tcp_check_req, net/ipv4/tcp_minisocks.c"},

	Client:  "raw",
	Compose: "abort-on-overflow",
	Backend: "scripted",
	Server:  &script.Server{Backlog: 1},
	Play:    overtakenInHang,
	Want: want{
		Replies:  []reply{{Status: 502}, {}, {}},
		Ran:      []string{},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire: []segment{{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "S."}, {From: nginx, To: backend, Flags: "P."},
			{From: backend, To: nginx, Flags: "R"}},
		Resets:   []reset{{From: backend, To: nginx}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "accept-overflow"}},
		Counters: []scenario.Counts{{Host: backend, Name: "TcpExt:ListenOverflows"}},
	},
	Control: control{What: "there is room for one more", Server: &script.Server{Backlog: 2}},
})

// overtakenInHang is overtaken by the same others while the back end hangs, for 2 s
// longer than the handshake is held up.
var overtakenInHang = steps{
	filter(backend, "input ip saddr {nginx} tcp dport 8080 tcp flags ack drop"),
	begin(raw("late", asks...)),
	await(nginx, backend, "P."), pause(backend),
	raw("first").At("backend:8080"), raw("second").At("backend:8080"),
	unfilter(backend), idle(2 * second), signal(backend, "CONT", scenario.All), finish(),
}
