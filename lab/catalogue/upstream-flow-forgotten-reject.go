package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-flow-forgotten-reject",
	Title: "a firewall before the back end forgets an idle connection and answers with RST: 104, and a GET is sent again",
	Why: `The firewall of upstream-flow-forgotten-drop has forgotten the flow, but it is polite: it answers the segment
that it does not know with RST, in the back end's name, as AWS's NAT gateways do after 350 s. nginx knows at once:
recv() says "104: Connection reset by peer". That is an error of a connection from the cache, so a GET is sent again
on a new one: "502, 200", and the client sees nothing. The back end still holds its end of the old connection open.`,
	Refs: []string{"nft(8), reject", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 5382, 5 (REQ-5)"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Compose: "flows-2s",
	Play: steps{
		filter(backend, "input tcp dport 8080 ct state new tcp flags & syn == 0 reject with tcp reset"),
		get("/test"), idle(3 * second), get("/test"),
	},
	Want: want{
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "502, 200"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "no-connection"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "flow-forgotten"}},
	},
	Control: control{
		What: "the firewall lets pass what it does not know",
		Play: steps{get("/test"), idle(3 * second), get("/test")},
	},
})
