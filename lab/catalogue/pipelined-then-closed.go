package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "pipelined-then-closed",
	Title: "keepalive_requests cuts off pipelined requests: the rest is read, thrown away, and never logged",
	Why: `The client sends five requests in one go (pipelining). keepalive_requests, here 3 in place of 1000, makes the third
answer the last: it says Connection: close, then comes FIN. What stands behind it has been read and is forgotten: no
answer, no line in any log; and by lingering_close there is no RST either. The client must send those again on a new
connection, and RFC 9112 asks it to be ready for that: only it knows whether they may run twice.`,
	Refs: []string{"RFC 9112, 9.3.2 and 9.6", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_requests"},

	Client:  "raw",
	Nginx:   "keepalive-requests-3",
	Backend: "scripted",
	Server:  &script.Server{},
	Play: steps{raw("c", script.Write(getTest+getTest+getTest+getTest+getTest), script.ReadResponse()),
		raw("c", script.ReadResponse()), raw("c", script.ReadResponse()), raw("c", script.ReadResponse(), script.Close())},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}, {Status: 200, Conn: 1}, {Class: "eof", Conn: 1}},
		Ran:     []string{"GET /", "GET /", "GET /"},
		Access:  []access{{Status: 200}, {Status: 200}, {Status: 200}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
		Ends: []end{{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{What: "keepalive_requests stays at 1000", Nginx: "baseline"},
})
