package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "keepalive-hint-fixed-by-pool",
	Title: "the client's pool is told what the header says: it closes first, and nothing is lost",
	Why: `"Keep-Alive: timeout=1" is for OkHttp a header like any other; its pool goes by the time that its program gives it.
Here that is 500 ms, half of what nginx announces, so OkHttp closes the idle connection first, FIN both ways, and the
next request opens a new one. The number stands in two places now, in nginx's config and in the client's program: who
lowers the one must know of the other.`,
	Refs: []string{"okhttp3.ConnectionPool", "RFC 9112, 9.3.1", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout"},

	Fixes:   keepaliveHint.ID,
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off, PoolIdle: 500 * millisecond},
	Nginx:   keepaliveHint.Nginx,
	Play:    keepaliveHint.Play,
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Wire: []segment{
			{From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."},
			{From: client, To: nginx, Flags: "S"}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
		},
		Ends: []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{What: "the pool keeps its own default of 5 minutes", Options: &keepaliveHint.Options},
})
