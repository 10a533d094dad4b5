package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-stale-post-fixed-by-non-idempotent",
	Title: "proxy_next_upstream non_idempotent: nginx sends the POST again, and the client sees 200",
	Why: `The failure is the same: FIN lost, RST, 104. non_idempotent allows nginx to send a POST again where a GET
would be, so it opens a new connection: "502, 200". Here that is right, for the back end had not run the first.
nginx does not know that, and sends it again in the same way where the back end has run it:
upstream-stale-post-runs-twice.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9110, 9.2.2"},

	Fixes:   upstreamStalePost.ID,
	Nginx:   "upstream-non-idempotent",
	Backend: "scripted",
	Server:  upstreamStalePost.Server,
	Play:    upstreamStalePost.Play,
	Want: want{
		Ran:      []string{"GET /", "POST /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "502, 200"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "stale-fin-lost", ClosedBy: "server"}},
	},
	Control: control{What: "a POST is not sent again", Nginx: upstreamStalePost.Nginx},
})
