package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "unsolicited-data",
	Title: "the back end sends bytes on an idle connection: nginx throws it away without a word",
	Why: `A response is over, its connection lies idle in nginx's cache. Then more bytes come: the rest of a body whose
Content-Length was too small, an answer to a request that nobody sent. Taken for the beginning of the next response
they would answer one client with another's. So nginx closes at once whatever idle connection becomes readable, and
because it does not read the bytes, its kernel sends RST. Neither log has a line of it. The next request goes over a
new connection and knows nothing.`,
	Refs: []string{"RFC 9112, 9.2",
		"ngx_http_upstream_keepalive_close_handler, src/http/modules/ngx_http_upstream_keepalive_module.c", "RFC 2525, 2.17"},

	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("more"), script.Write("and more")},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), quiet(), tell(backend, "more"), await(nginx, backend, "R."), get("/test")},
	Want: want{
		Ran: []string{"GET /", "GET /"},
		Wire: slices.Concat(exchange(nginx, backend), []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R."}},
			handshake(nginx, backend), exchange(nginx, backend)),
		Resets: []reset{{From: nginx, To: backend, Kind: "abort"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "unexplained"}},
	},
	Control: control{
		What:   "the back end sends no more",
		Play:   steps{get("/test"), quiet(), get("/test")},
		Server: &script.Server{},
	},
})
