package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-keepalive-1",
	Title: "keepalive is the size of a cache and no limit: what does not fit is closed after use",
	Why: `keepalive 1 says how many idle connections to the back end a worker keeps; how many it opens it does not say.
Two requests at the same time take two connections. When both have been answered only one fits: nginx closes the
one that has been idle for longer, in order and without a line in a log. A number far below what is needed at a
time costs a handshake a request, as no keep-alive at all does.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive"},

	Client:  "raw",
	Nginx:   "upstream-keepalive-1",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("read"), script.Wait("answer"), script.Answer(200, "ok"), script.ReadRequest(), script.Answer(200, "ok"), script.ReadEnd(), script.Close()}),
	Play: steps{
		begin(raw("a", script.Write(getTest), script.ReadResponse())), said(backend, "read"),
		begin(raw("b", script.Write(getTest), script.ReadResponse())), said(backend, "read"),
		tell(backend, "answer"), await(nginx, backend, "F."), finish(), raw("b", script.Write(getTest), script.ReadResponse()),
	},
	Want: want{
		Ran: []string{"GET /", "GET /", "GET /"},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"},
			{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "F."}, {From: nginx, To: backend, Flags: "P."},
		},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "open"}, {Client: client, Server: nginx, Cause: "open"},
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "open"},
		},
	},
	Control: control{
		What:  "sixteen fit",
		Nginx: "upstream-60s",
		Play: steps{
			begin(raw("a", script.Write(getTest), script.ReadResponse())), said(backend, "read"),
			begin(raw("b", script.Write(getTest), script.ReadResponse())), said(backend, "read"),
			tell(backend, "answer"), finish(), raw("b", script.Write(getTest), script.ReadResponse()),
		},
	},
})
