package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "reload-idle-fixed-by-min-timeout",
	Title: "keepalive_min_timeout: after a reload an idle connection takes one more request, and then says close",
	Why: `With keepalive_min_timeout (nginx 1.27.4 and later) an old worker does not close an idle connection before that
time is over, counted from its last answer; here 60 s. A request within it is answered by the old worker, with
Connection: close: the client is told in words that it understands, and takes a new connection for the next one. Set it
above the time that clients keep idle connections: what is left then is what stale-crossing is.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_min_timeout", "RFC 9112, 9.6"},

	Fixes:   "reload-idle",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Nginx:   "keepalive-min-timeout",
	Play:    steps{get("/test"), reload(nginx), logged("gracefully shutting down"), quiet(), get("/test"), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /", "GET /"},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: control{
		What:  "keepalive_min_timeout is not set",
		Nginx: "baseline",
	},
})
