package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var upstreamStalePost = add(scenario.Scenario{
	ID:    "upstream-stale-post",
	Title: "the back end's FIN is lost, a POST meets RST, and nginx must not send it again: 502",
	Why: `The same as upstream-stale-get to the segment: the back end has closed, nginx does not know it, its kernel
answers the request with RST, "104: Connection reset by peer". But a POST may not run twice, and nginx cannot know
that the first was never read: it gives up with 502. Here it did not run at all (the back end counts). This is the
502 that comes now and then, for POST alone, under little load, with nothing in the back end's log.`,
	Refs: []string{"RFC 9110, 9.2.2", "RFC 9112, 9.3.1", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), gate(nginx, scenario.FINLost), tell(backend, "close"), held(nginx), post("/test", "order")},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "stale-fin-lost", ClosedBy: "server"}},
	},
	Control: control{
		What:   "the back end keeps the connection",
		Server: &script.Server{},
		Play:   steps{get("/test"), post("/test", "order")},
	},
})
