package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "accept-overflow-abort",
	Title: "tcp_abort_on_overflow: a full accept queue answers inside a handshake with RST, and nginx says 502",
	Why: `As in accept-overflow-late, the queue fills up between nginx's SYN and the ACK that ends its handshake; but
the back end's kernel has tcp_abort_on_overflow set to 1, and answers with RST in place of silence. nginx's
connection stood, and its request was sent: "recv() failed (104: Connection reset by peer) while reading response
header from upstream", 502, at once. It looks like a server that crashed over the request, though none has seen
it. For a SYN that finds the queue full the setting changes nothing: it is dropped (accept-overflow).`,
	Refs: []string{"tcp(7), tcp_abort_on_overflow", "tcp_check_req, net/ipv4/tcp_minisocks.c"},

	Client:  "raw",
	Compose: "abort-on-overflow",
	Nginx:   "read-timeout-2s",
	Backend: "scripted",
	Server:  &script.Server{Backlog: 1, Deaf: true},
	Play:    overtaken,
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
	Control: control{What: "there is room for one more", Server: &script.Server{Backlog: 2, Deaf: true}},
})
