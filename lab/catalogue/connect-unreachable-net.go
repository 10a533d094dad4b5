package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "connect-unreachable-net",
	Title: `a router has no route to the back end: 502 "Network is unreachable"`,
	Why: `A router that has no route for the back end's network answers nginx's SYN with ICMP "network unreachable" (here a
firewall sends it in its place). The message quotes the SYN and ends the connect() at once, with ENETUNREACH:
"connect() failed (101: Network is unreachable)", 502.`,
	Refs: []string{"RFC 792, Destination Unreachable, code 0", "RFC 1122, 4.2.3.9", "nft(8), REJECT STATEMENT", "tcp_v4_err, icmp_err_convert, net/ipv4"},

	Play: steps{filter(backend, "input ip saddr {nginx} tcp dport 8080 reject with icmp net-unreachable"), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"connect() failed (101: Network is unreachable) while connecting to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "unreachable"}},
	},
	Control: control{What: "nothing is rejected", Play: steps{get("/test")}},
})
