package catalogue

import "rstlab/lab/scenario"

var ClosedPort = add(scenario.Scenario{
	ID:    "closed-port",
	Title: "connecting to a port that nobody listens on is answered with RST",
	Why: `The SYN finds no listening socket on port 81, so the kernel of the host answers in the
name of that port: RST with ACK, for there is no connection that could be kept. connect()
fails at once with ECONNREFUSED. A refused connection is a good sign of a kind: the host is
up and reachable; only the process is missing.`,
	Refs: []string{"RFC 9293, 3.10.7.1", "tcp_v4_send_reset, net/ipv4/tcp_ipv4.c"},

	Article: 2,
	Play:    []scenario.Step{get("http://test.foo.com:81/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Class: "refused"}},
		Wire:    []scenario.Segment{{From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "R."}},
		Resets:  []scenario.Reset{{From: nginx, To: client, Kind: "to-syn"}},
		Ends:    []scenario.End{{Client: client, Server: nginx, Cause: "refused"}},
	},
	Control: scenario.Control{What: "the port is one that nginx listens on",
		Play: []scenario.Step{get("/test")}},
})
