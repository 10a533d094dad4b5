package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "retry-after-header-sent",
	Title: "a GET fails after its head has come: no second try, a body that breaks off",
	Why: `A GET on a kept connection, one that nginx would send again (retry-runs-get-twice). But the back end has sent
the head and 4 of 10 bytes before it closes. With the head nginx has begun its own answer to the client, and no second
one can follow: "upstream prematurely closed connection while reading upstream", 200 in access.log, and the client gets
"unexpected EOF". proxy_next_upstream ends where the first head begins.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9112, 8"},

	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), partial(10, "half"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), quiet(), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1, Class: "eof", Text: []string{"unexpected EOF"}, Body: "half", Bytes: 4}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire: slices.Concat(exchange(nginx, backend), []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}}),
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "truncated", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What: "the back end closes before the head, and nginx sends the GET again",
		Server: serve(
			ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Close()},
			ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	},
})
