package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "connect-unreachable-admin",
	Title: `a firewall says that it is forbidden: 502 "No route to host", though there is one`,
	Why: `A firewall rejects nginx's SYN with ICMP "administratively prohibited", as those of routers do, and firewalld.
The message quotes the SYN and ends the connect() at once, with EHOSTUNREACH: "connect() failed (113: No route to
host)", 502. The words mislead: there is a route and there is a host, and a rule forbids it. Which of the two it
was, the code of the ICMP message says, and nothing else.`,
	Refs: []string{"RFC 792, Destination Unreachable, code 13", "RFC 1122, 4.2.3.9", "nft(8), REJECT STATEMENT", "tcp_v4_err, icmp_err_convert, net/ipv4"},

	Play: steps{filter(backend, "input ip saddr {nginx} tcp dport 8080 reject with icmp admin-prohibited"), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"connect() failed (113: No route to host) while connecting to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "unreachable"}},
	},
	Control: control{What: "nothing is rejected", Play: steps{get("/test")}},
})
