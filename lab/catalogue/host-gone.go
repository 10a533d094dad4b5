package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "host-gone",
	Title: "the back end's host is gone and forgotten: no SYN at all, and after 3 s 502 \"No route to host\"",
	Why: `The back end's host is gone, and nginx's host does not know its Ethernet address any more (after a minute or
two without traffic, or as here from the start). Before the SYN can leave, ARP must find the address: three
requests, a second apart, and nobody answers. Then nginx's own kernel ends the connect() with EHOSTUNREACH:
"connect() failed (113: No route to host)", 502 after 3 s, however long proxy_connect_timeout is. Of TCP there is
nothing on the wire. Where the address is still known, SYNs go out into silence: backend-container-killed.`,
	Refs: []string{"arp(7), mcast_solicit, retrans_time_ms", "arp_error_report, net/ipv4/arp.c", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_connect_timeout"},

	Takes: 3 * second,
	Play:  steps{killHost(backend), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"connect() failed (113: No route to host) while connecting to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
	},
	Control: control{What: "the host is there, its server is killed", Play: steps{kill(backend), get("/test")}},
})
