package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "accept-overflow-abort-fixed-by-backlog",
	Title: "with a backlog that is long enough the queue has a place left, and the request waits in it",
	Why: `The same back end hangs for the same time, and the same two have come before nginx's handshake is done; but it listens
with the system's backlog (net.core.somaxconn, 4096). nginx's ACK finds a place in the accept queue, its request is
acknowledged by the kernel and lies there until the back end goes on: 200. tcp_abort_on_overflow is 1 as before, and
has nothing to do.`,
	Refs: []string{"listen(2), backlog", "tcp(7), tcp_abort_on_overflow"},

	Fixes:   acceptOverflowAbort.ID,
	Client:  "raw",
	Compose: "abort-on-overflow",
	Backend: "scripted",
	Server:  &script.Server{},
	Play:    overtakenInHang,
	Want: want{
		Replies: []reply{{Status: 200}, {}, {}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire: []segment{{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "S."}, {From: nginx, To: backend, Flags: "P."},
			{From: backend, To: nginx, Flags: "."}, {From: backend, To: nginx, Flags: "P."}},
	},
	Control: control{What: "the backlog is 1", Server: &script.Server{Backlog: 1}},
})
