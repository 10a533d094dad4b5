package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "accept-overflow-late",
	Title: "the accept queue fills up inside a handshake: nginx believes it is connected, and waits in vain",
	Why: `nginx's SYN found room in the accept queue and was answered, but the ACK that ends the handshake is late, and
in the meantime others have taken the last places. The back end's kernel ignores an ACK, and a request, for which
it has no room (tcp_abort_on_overflow is 0), and sends its SYN-ACK again. For nginx's kernel the connection stands
since the first SYN-ACK; nginx has sent its request, and reads the silence as slowness: "upstream timed out (110)
while reading response header from upstream", 504. Only ListenOverflows and the repeated SYN-ACK tell.`,
	Refs: []string{"tcp(7), tcp_abort_on_overflow", "tcp_check_req, net/ipv4/tcp_minisocks.c", "listen(2), backlog"},

	Client:  "raw",
	Nginx:   "read-timeout-2s",
	Backend: "scripted",
	Server:  &script.Server{Backlog: 1, Deaf: true},
	Takes:   2 * second,
	Play:    overtaken,
	Want: want{
		Replies:  []reply{{Status: 504}, {}, {}},
		Ran:      []string{},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while reading response header from upstream"},
		Access:   []access{{Status: 504, Upstream: "504"}},
		Wire: []segment{{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "S."}, {From: nginx, To: backend, Flags: "P."},
			{From: backend, To: nginx, Flags: "S."}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "accept-overflow"}},
		Counters: []scenario.Counts{{Host: backend, Name: "TcpExt:ListenOverflows"}},
	},
	Control: control{What: "there is room for one more", Server: &script.Server{Backlog: 2, Deaf: true}},
})

// overtaken is a request whose handshake is held up at the back end until two
// others, which have none to ask, have taken the two places of a queue.
var overtaken = steps{
	filter(backend, "input ip saddr {nginx} tcp dport 8080 tcp flags ack drop"),
	begin(raw("late", asks...)),
	await(nginx, backend, "P."),
	raw("first").At("backend:8080"), raw("second").At("backend:8080"),
	unfilter(backend), finish(),
}
