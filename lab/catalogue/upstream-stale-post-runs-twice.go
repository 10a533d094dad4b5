package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-stale-post-runs-twice",
	Title: "the price of non_idempotent: the back end runs one POST twice, and the client sees one 200",
	Why: `The back end reads a POST on a kept connection, does the work, and dies before it answers: FIN. nginx logs
"upstream prematurely closed connection". For nginx this is the failure of upstream-stale-post, no byte of an
answer on a connection from its cache, and with non_idempotent it does the same: it sends the POST again. The work
is done twice. Neither the client nor its log knows; nginx's log says "502, 200". What may not happen twice needs a
key by which the back end knows it again.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9110, 9.2.2"},

	Nginx:   "upstream-non-idempotent",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), post("/test", "order")},
	Want: want{
		Ran:      []string{"GET /", "POST /", "POST /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "502, 200"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{What: "nginx does not send a POST again", Nginx: "upstream-60s"},
})
