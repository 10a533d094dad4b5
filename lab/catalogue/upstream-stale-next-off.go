package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-stale-next-off",
	Title: "proxy_next_upstream off: a GET too gets 502 when the kept connection was closed",
	Why: `The failure of upstream-stale-get: the back end has closed, its FIN is lost, the request meets RST, "104:
Connection reset by peer". Switched off so that no request runs twice, proxy_next_upstream also forbids the one try
more that heals a stale connection: the GET that would have been 200 is 502, though the back end never ran it.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9112, 9.3.1"},

	Nginx:   "upstream-next-off",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), gate(nginx, scenario.FINLost), tell(backend, "close"), held(nginx), get("/test")},
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
	Control: control{What: "nginx tries again", Nginx: "upstream-60s"},
})
