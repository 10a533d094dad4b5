package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "connect-unreachable-host",
	Title: `a router says that the back end's host cannot be reached: 502 "No route to host"`,
	Why: `A router, or as here a firewall, answers nginx's SYN with ICMP "host unreachable". The message quotes the SYN, so
nginx's kernel knows whose connect() it ends at once: EHOSTUNREACH, "connect() failed (113: No route to host)",
502. No timer has to pass. The same words come from nginx's own kernel where ARP finds nobody (host-gone).`,
	Refs: []string{"RFC 792, Destination Unreachable, code 1", "RFC 1122, 4.2.3.9", "nft(8), REJECT STATEMENT", "tcp_v4_err, icmp_err_convert, net/ipv4"},

	Play: steps{filter(backend, "input ip saddr {nginx} tcp dport 8080 reject with icmp host-unreachable"), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"connect() failed (113: No route to host) while connecting to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "unreachable"}},
	},
	Control: control{What: "nothing is rejected", Play: steps{get("/test")}},
})
