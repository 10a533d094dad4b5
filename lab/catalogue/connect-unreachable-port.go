package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "connect-unreachable-port",
	Title: `a firewall rejects with ICMP port unreachable: 502 "Connection refused", and no RST`,
	Why: `The firewall of the back end rejects nginx's SYN with ICMP "port unreachable": what nft and iptables send where
a rule says no more than "reject". The ICMP message quotes the SYN, so nginx's kernel knows whose connect() it ends
at once, and gives it ECONNREFUSED: "connect() failed (111: Connection refused)", 502, the words for a RST. No
RST was sent. error.log alone cannot tell a closed port from this; the capture can.`,
	Refs: []string{"RFC 792, Destination Unreachable, code 3", "RFC 1122, 4.2.3.9", "nft(8), REJECT STATEMENT", "tcp_v4_err, icmp_err_convert, net/ipv4"},

	Play: steps{filter(backend, "input ip saddr {nginx} tcp dport 8080 reject with icmp port-unreachable"), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "unreachable"}},
	},
	Control: control{What: "nothing is rejected", Play: steps{get("/test")}},
})
