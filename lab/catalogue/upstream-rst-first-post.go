package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var upstreamRSTFirstPost = add(scenario.Scenario{
	ID:    "upstream-rst-first-post",
	Title: "the RST that answers a POST overtakes the FIN before it: 104, and 502",
	Why: `The back end closes, and its FIN is late. nginx sends a POST, the back end's kernel answers with RST, and the
RST is delivered first: recv() says "104: Connection reset by peer". On a network it takes a FIN that is reordered
or lost; here it is forced. A POST is not sent again: 502, though the back end has never read it.`,
	Refs: []string{"RFC 9112, 9.3.1", "RFC 9293, 3.10.7.4", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), gate(nginx, scenario.RSTFirst), begin(post("/test", "order")), held(nginx), tell(backend, "close")},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
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
