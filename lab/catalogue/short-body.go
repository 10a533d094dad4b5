package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "short-body",
	Title: "a body shorter than its Content-Length: 200 in access.log, unexpected EOF at the client",
	Why: `The back end announces 10 bytes, sends 4 and closes: a wrong Content-Length, a file that was cut while it was
sent, a process that died in the middle. With the head nginx has taken its status and its Content-Length, and no
status can tell of the failure any more. It passes on the 4 bytes, logs "upstream prematurely closed connection while
reading upstream" and closes the client's connection, the only sign that is left: "unexpected EOF". Who counts errors
by status sees none.`,
	Refs: []string{"RFC 9112, 6.3 and 8", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), partial(10, "half"), script.Close()}),
	Play:    steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Body: "half", Bytes: 4}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "truncated", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What:   "Content-Length is right",
		Server: serve(ops{script.ReadRequest(), partial(4, "half"), script.Close()}),
	},
})
