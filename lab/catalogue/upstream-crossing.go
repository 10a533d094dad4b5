package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-crossing",
	Title: "nginx's request and the back end's FIN pass each other: \"prematurely closed\", and a GET is sent again",
	Why: `The back end closes an idle connection at the moment in which nginx takes it from its cache. Its FIN is on the
way when the request leaves: no look at the socket can show what has not arrived yet. The FIN arrives while nginx
waits for the response's head, so recv() returns 0: "upstream prematurely closed connection". The RST that answers
the request comes behind it and changes nothing. A connection from the cache that fails is worth one more try:
nginx sends the GET again, "502, 200". A crossing is this line, not "104": that needs a FIN that was lost or
overtaken (upstream-stale-get, upstream-rst-first), or a request that was left unread.`,
	Refs: []string{"RFC 9112, 9.3.1", "RFC 9293, 3.10.7.4", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), gate(nginx, scenario.FINFirst), begin(get("/test")), held(nginx), tell(backend, "close")},
	Want: sentAgain("GET", "upstream prematurely closed connection while reading response header from upstream"),
	Control: control{
		What:   "the back end keeps the connection",
		Server: &script.Server{},
		Play:   steps{get("/test"), get("/test")},
	},
})

// sentAgain is a request that dies on a connection which the back end closes, with
// this line in error.log, and that nginx sends again on a new one.
func sentAgain(method, line string) want {
	return want{
		Ran:      []string{"GET /", method + " /"},
		ErrorLog: []string{line},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "502, 200"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "stale-crossing", ClosedBy: "server"}},
	}
}
