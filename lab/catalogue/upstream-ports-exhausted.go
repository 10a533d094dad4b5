package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-ports-exhausted",
	Title: "nginx has no port left to connect from: every one is in TIME_WAIT, and it says 502",
	Why: `Without kept connections nginx connects to the back end for every request, and closes first when it has the answer.
Who closes first keeps the connection in TIME_WAIT, for 60 s on Linux, and its port cannot be used again towards
the same address and port. net.ipv4.ip_local_port_range has 28232 ports: about 470 requests a second use them up.
Here it has two, and two requests do it. The third finds none: connect() fails with EADDRNOTAVAIL before any packet leaves,
"[crit] connect() to ... failed (99: Cannot assign requested address)", 502. The back end is idle and knows nothing.`,
	Refs: []string{"RFC 9293, 3.6.1", "ip(7), ip_local_port_range", "connect(2), EADDRNOTAVAIL", "__inet_hash_connect, net/ipv4/inet_hashtables.c"},

	Compose: "two-ports",
	Nginx:   "no-upstream-block",
	Backend: "scripted",
	Server:  &script.Server{},
	Play:    steps{get("/test"), quiet(), get("/test"), quiet(), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 200}, {Status: 502}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"failed (99: Cannot assign requested address) while connecting to upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: []segment{{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "F."}},
		Sockets: []socket{{Before: 3, Host: nginx, State: "TIME-WAIT"}},
	},
	Control: control{What: "nginx keeps its connections to the back end", Nginx: "baseline"},
})
