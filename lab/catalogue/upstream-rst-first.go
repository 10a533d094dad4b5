package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-rst-first",
	Title: "the RST that answers a request overtakes the FIN before it: 104, and a GET is sent again",
	Why: `The back end closes, and its FIN is late. nginx sends its request, the back end's kernel answers with RST, and
the RST is delivered first: recv() says "104: Connection reset by peer" where the order of upstream-crossing says
"prematurely closed". On a network it takes a FIN that is reordered or lost; here it is forced. The two lines are
one failure: a request on a connection that was closed. nginx sends the GET again, "502, 200".`,
	Refs: []string{"RFC 9112, 9.3.1", "RFC 9293, 3.10.7.4", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), gate(nginx, scenario.RSTFirst), begin(get("/test")), held(nginx), tell(backend, "close")},
	Want: sentAgain("GET", "recv() failed (104: Connection reset by peer) while reading response header from upstream"),
	Control: control{
		What:   "the back end keeps the connection",
		Server: &script.Server{},
		Play:   steps{get("/test"), get("/test")},
	},
})
