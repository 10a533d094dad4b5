package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "accept-overflow-abort-fixed-by-abort-off",
	Title: "tcp_abort_on_overflow 0: the full queue says nothing, the request is sent again, and there is room by then",
	Why: `tcp_abort_on_overflow is 0, as Linux has it by itself: the back end's kernel ignores what it has no room for. nginx's
kernel sends the request again, each time after twice as long, and the back end's its SYN-ACK. The back end goes on after
2 s and takes the two that wait; the next of those segments finds a place, and the request is answered: 200. It is
late, and only in time if the hang is over before proxy_read_timeout (accept-overflow-late). A longer backlog
spares it the wait too.`,
	Refs: []string{"tcp(7), tcp_abort_on_overflow", "tcp_check_req, net/ipv4/tcp_minisocks.c", "RFC 6298, 5.5"},

	Fixes:   acceptOverflowAbort.ID,
	Client:  "raw",
	Backend: "scripted",
	Server:  acceptOverflowAbort.Server,
	Takes:   2 * second,
	Play:    overtakenInHang,
	Want: want{
		Replies: []reply{{Status: 200}, {}, {}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire: []segment{{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "S."}, {From: nginx, To: backend, Flags: "P."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}},
		Counters: []scenario.Counts{{Host: backend, Name: "TcpExt:ListenOverflows"}},
	},
	Control: control{What: "nginx waits for 2 s at most", Nginx: "read-timeout-2s"},
})
