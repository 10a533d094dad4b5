package catalogue

import (
	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "ss-kill",
	Title: "ss -K on nginx's host: RST to both sides in nginx's name, and 103 in its log",
	Why: `An administrator, or a program that cleans up, has the kernel of nginx's host throw its connections away: ss -K,
which is tcp_abort. The kernel sends RST to the client and to the back end in nginx's name, though nginx did nothing
and knows of nothing. When it looks, its own recv() says ECONNABORTED: "103: Software caused connection abort", an
[alert]. That number is the sign that the own kernel did it: a RST from outside is 104. The connections were idle,
and both peers saw the RST in time: the next request has a new connection on each leg, and nothing is lost.`,
	Refs: []string{"ss(8), -K", "tcp_abort, net/ipv4/tcp.c", "RFC 9293, 3.10.5"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Play:    steps{get("/test"), destroy(nginx), await(nginx, client, "R."), quiet(), post("/test", "order")},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:      []string{"GET /", "POST /"},
		ErrorLog: []string{"recv() failed (103: Software caused connection abort) while keepalive"},
		Wire:     []segment{{From: nginx, To: client, Flags: "R."}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: backend, Flags: "S"}},
		Resets:   []reset{{From: nginx, Kind: "abort"}, {From: nginx, Kind: "abort"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "aborted"}, {Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What: "the kernel lets the connections be",
		Play: steps{get("/test"), quiet(), post("/test", "order")},
	},
})
