package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var upstreamCrossingPost = add(scenario.Scenario{
	ID:    "upstream-crossing-post",
	Title: "nginx's POST and the back end's FIN pass each other: 502, and nobody did anything wrong",
	Why: `The back end closes an idle connection at the moment in which nginx takes it from its cache: FIN and request
cross. nginx, waiting for the response's head, reads the FIN: "upstream prematurely closed connection". A POST is
not sent again, so the client gets 502, though the back end has never read it. No FIN was lost and nothing was slow:
as long as the back end is the one that closes first, this happens once in a while.`,
	Refs: []string{"RFC 9112, 9.3.1", "RFC 9293, 3.10.7.4", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), gate(nginx, scenario.FINFirst), begin(post("/test", "order")), held(nginx), tell(backend, "close")},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "stale-crossing", ClosedBy: "server"}},
	},
	Control: control{
		What:   "the back end keeps the connection",
		Server: &script.Server{},
		Play:   steps{get("/test"), post("/test", "order")},
	},
})
