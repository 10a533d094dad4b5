package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "connect-blackhole",
	Title: "a firewall drops what nginx sends to the back end: nothing comes back, and nginx says 504",
	Why: `A firewall before the back end drops nginx's SYN and says nothing. nginx's kernel cannot tell that from a lost
packet, so it sends the SYN again: every second five times, then after 2 s, 4 s ... (before Linux 6.5 after 1 s, 2 s,
4 s). Nothing ever answers. What ends the wait is proxy_connect_timeout: "upstream timed out (110: Connection timed
out) while connecting to upstream", 504. Here it is 1.5 s. Left at its 60 s, the client most likely goes first.`,
	Refs: []string{"RFC 9293, 3.8.3", "RFC 6298, 2.1", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_connect_timeout",
		"tcp(7), tcp_syn_retries"},

	Nginx: "connect-timeout",
	Takes: 1500 * millisecond,
	Play:  steps{filter(backend, "input ip saddr {nginx} tcp dport 8080 drop"), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 504}},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while connecting to upstream"},
		Access:   []access{{Status: 504, Upstream: "504"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "unanswered"}},
	},
	Control: control{What: "nothing is dropped", Play: steps{get("/test")}},
})
