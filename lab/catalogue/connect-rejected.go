package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "connect-rejected",
	Title: "a firewall answers in the back end's place with RST: 502, on the wire the same as a closed port",
	Why: `The back end listens, but a rule of its firewall rejects nginx's SYN with a TCP reset ("reject with tcp
reset"). nginx's kernel believes it: ECONNREFUSED, "connect() failed (111: Connection refused)", 502, word for
word what a server that does not run gives (backend-process-killed). The RST has the fields that the back end's
own TCP would have given it. Only the kernel's silence tells: it was netfilter that made this RST, so the
tracepoint tcp_send_reset and the counter OutRsts of the back end know nothing of it. From a capture alone it is
"refused".`,
	Refs: []string{"nft(8), REJECT STATEMENT", "nf_send_reset, net/ipv4/netfilter/nf_reject_ipv4.c", "RFC 9293, 3.5.2"},

	Kernel: true,
	Play:   steps{filter(backend, "input ip saddr {nginx} tcp dport 8080 reject with tcp reset"), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "R."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "forged"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "rejected"}},
	},
	Control: control{What: "nothing is rejected", Play: steps{get("/test")}},
})
