package catalogue

import "rstlab/lab/scenario"

var natForgetsRST = add(scenario.Scenario{
	ID:    "nat-forgets-rst",
	Title: "a NAT box forgets an idle connection and answers with RST: \"connection reset by peer\"",
	Why: `The box of nat-forgets has forgotten the flow, and answers what it does not know with RST, in nginx's name. The
client gets ECONNRESET, "connection reset by peer", at once and not after a timeout. Go's client would send a GET
again by itself; a POST it does not, for it cannot know whether it has run. It has not: nginx never saw it, and has
no line in either log. nginx's socket is still ESTABLISHED.`,
	Refs: []string{"RFC 5382, 5 (REQ-5)", "nf_conntrack_tcp_timeout_established, Documentation/networking/nf_conntrack-sysctl.rst"},

	Backend: "scripted",
	Compose: "flows-2s",
	Play: steps{
		filter(nginx, "input tcp dport 80 ct state new tcp flags & syn == 0 reject with tcp reset"),
		get("/test"), idle(3 * second), post("/test", "order"),
	},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Class: "reset", Text: []string{"read: connection reset by peer"}, Conn: 1}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R"}},
		Resets:  []reset{{From: nginx, To: client, Kind: "no-connection"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "flow-forgotten"}},
		Sockets: []socket{{Before: 2, Host: client, State: "ESTAB"}, {Before: 2, Host: nginx, State: "ESTAB"}},
	},
	Control: control{
		What: "the box lets pass what it does not know",
		Play: steps{get("/test"), idle(3 * second), post("/test", "order")},
	},
})
