package catalogue

import "rstlab/lab/scenario"

var upstreamFlowForgottenRejectPost = add(scenario.Scenario{
	ID:    "upstream-flow-forgotten-reject-post",
	Title: "a firewall before the back end forgets an idle connection and answers with RST: a POST gets 502",
	Why: `The firewall of upstream-flow-forgotten-drop has forgotten the flow, but it is polite: it answers the segment that
it does not know with RST, in the back end's name. recv() says "104: Connection reset by peer", and a POST is not
sent again: 502. The back end never saw it, and has no socket and no line in a log that could tell; it still holds
its end of the connection open.`,
	Refs: []string{"nft(8), reject", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 5382, 5 (REQ-5)"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Compose: "flows-2s",
	Play: steps{
		filter(backend, "input tcp dport 8080 ct state new tcp flags & syn == 0 reject with tcp reset"),
		get("/test"), idle(3 * second), post("/test", "order"),
	},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "no-connection"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "flow-forgotten"}},
	},
	Control: control{
		What: "the firewall lets pass what it does not know",
		Play: steps{get("/test"), idle(3 * second), post("/test", "order")},
	},
})
