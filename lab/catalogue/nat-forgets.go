package catalogue

import "rstlab/lab/scenario"

var natForgets = add(scenario.Scenario{
	ID:    "nat-forgets",
	Title: "a NAT box forgets an idle connection and says nothing: the client's next request times out",
	Why: `Between client and nginx is a box that knows each flow (NAT, a firewall, a load balancer) and forgets one that has
been idle for too long, here 2 s, by RFC 5382 not before 2 hours 4 minutes, in practice after minutes. It tells
neither side: on both the socket stays ESTABLISHED. The client takes the connection from its pool, and the box
drops the request, for it is of no flow. The client's kernel sends it again and again; the client waits until its
own limit, here 3 s, and nginx knows of nothing: no line in either log. The next request opens a new connection.`,
	Refs: []string{"RFC 5382, 5 (REQ-5)", "nf_conntrack_tcp_timeout_established, Documentation/networking/nf_conntrack-sysctl.rst"},

	Options: scenario.Options{Timeout: 3 * second},
	Backend: "scripted",
	Compose: "flows-2s",
	Takes:   3 * second,
	Play: steps{
		filter(nginx, "input tcp dport 80 ct state new tcp flags & syn == 0 drop"),
		get("/test"), idle(3 * second), get("/test"), get("/test"),
	},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Class: "timeout", Text: []string{"context deadline exceeded"}, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Access:  []access{{Status: 200}, {Status: 200}},
		Wire: []segment{
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: client, To: nginx, Flags: "P."}, {From: client, To: nginx, Flags: "P."},
			{From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "P."},
		},
		Ends:    []end{{Client: client, Server: nginx, Cause: "vanished"}},
		Sockets: []socket{{Before: 2, Host: client, State: "ESTAB"}, {Before: 2, Host: nginx, State: "ESTAB"}},
	},
	Control: control{
		What: "the box lets pass what it does not know",
		Play: steps{get("/test"), idle(3 * second), get("/test"), get("/test")},
	},
})
