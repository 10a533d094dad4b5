package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-stale-get",
	Title: "the back end's FIN is lost, a GET meets RST, and nginx sends it again by itself: 200",
	Why: `The back end closes an idle connection, and its FIN does not get to nginx. nginx takes the connection from
its cache and sends the request on it. At the back end nobody owns that socket any more: its kernel answers with
RST, and recv() says "104: Connection reset by peer". That is an error as proxy_next_upstream means it, and a
connection from the cache that fails is worth one more try, even where there is one server only: nginx sends the
GET again on a new connection, and logs both tries, "502, 200". The client sees 200. The error line stays.`,
	Refs: []string{"RFC 9112, 9.3.1", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
		"tcp_rcv_state_process, net/ipv4/tcp_input.c (TCPAbortOnData)"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), gate(nginx, scenario.FINLost), tell(backend, "close"), held(nginx), get("/test")},
	Want: want{
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "502, 200"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "stale-fin-lost", ClosedBy: "server"}},
	},
	Control: control{
		What:   "the back end keeps the connection",
		Server: &script.Server{},
		Play:   steps{get("/test"), get("/test")},
	},
})
