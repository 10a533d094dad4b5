package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "one-stale-disables-a-healthy-server",
	Title: "one connection that died of old age, and nginx sends nothing more to a healthy server",
	Why: `nginx keeps an idle connection to each of two back ends. The first closes its own, as every server does after
some time, and the FIN is lost (or crosses the next request): the request meets RST, "recv() failed (104)". That is
no failure of the server, and the client notices nothing: nginx passes the GET to the second, 200, "502, 200". But
it counts: with max_fails=1, its own default, one such death is enough for "upstream server temporarily disabled", a
line of level warn, which error_log leaves out by itself. For fail_timeout (10 s if nothing else is said) the second
server gets all requests, twice what it is used to; two such deaths, and there are "no live upstreams".`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails",
		"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout", "RFC 9112, 9.3.1"},

	Compose: "two-backends",
	Nginx:   "two-backends",
	Backend: "scripted",
	Server:  oneStale,
	Second:  serve(ops{script.ReadRequest(), script.Answer(200, "second"), script.Again()}),
	Play:    staleOnce,
	Want: want{
		Replies: []reply{{Status: 200, Body: "first"}, {Status: 200, Body: "second"}, {Status: 200, Body: "second"},
			{Status: 200, Body: "second"}, {Status: 200, Body: "second"}},
		Ran: []string{"GET /", "GET /", "GET /", "GET /", "GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream",
			"upstream server temporarily disabled while reading response header from upstream"},
		Access: []access{{Upstream: "200"}, {Upstream: "200"}, {Upstream: "502, 200"}, {Upstream: "200"}, {Upstream: "200"}},
		Wire: []segment{{From: backend, To: nginx, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"}, {From: nginx, To: backend2, Flags: "P."}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "stale-fin-lost", ClosedBy: "server"}},
	},
	Control: control{What: "max_fails is 0", Nginx: "two-backends-max-fails-0"},
})

// oneStale is a back end whose first connection can be told to close.
var oneStale = serve(
	ops{script.ReadRequest(), script.Answer(200, "first"), script.Wait("close"), script.Close()},
	ops{script.ReadRequest(), script.Answer(200, "first"), script.Again()},
)

// staleOnce is a request to each of two back ends, one that the first has closed
// the connection for, unheard, and two more.
var staleOnce = steps{
	get("/test"), get("/test"),
	gate(nginx, scenario.FINLost), tell(backend, "close"), held(nginx), get("/test"),
	get("/test"), get("/test"),
}
