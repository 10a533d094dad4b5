package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "keepalive-disable",
	Title: "a POST of \"MSIE 6.0\" gets no kept connection: nginx goes by the name of the client",
	Why: `keepalive_disable, msie6 by default, keeps no connection with clients whose User-Agent is known for a fault in it:
after each POST of an MSIE 6 the answer says Connection: close, and FIN follows. Nobody surfs with it any more, but
monitors and old libraries still give that name, and then wonder why each POST of theirs takes a new connection. As it
is announced, nothing fails.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_disable", "RFC 9112, 9.6"},

	Play: steps{post("/test", "a").With("User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)"), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"POST /", "GET /"},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: client, To: nginx, Flags: "S"}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: control{
		What: "the client gives another name",
		Play: steps{post("/test", "a").With("User-Agent: Mozilla/5.0"), get("/test")},
	},
})
