package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-fin-seen",
	Title: "the back end closes its idle connection and nginx sees it in time: nothing fails",
	Why: `The back end closes a connection that nginx keeps idle, as servers do after a few seconds. Its FIN arrives.
nginx has every idle connection in its epoll set: it is woken at once, reads the end, takes the connection out of
its cache and closes it too. The next request opens a new one. Nothing is logged, at whatever level, and nobody
has to retry. All failures of kept connections to a back end are about a FIN that has not arrived in time.`,
	Refs: []string{"RFC 9112, 9.3.1", "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), tell(backend, "close"), await(nginx, backend, "F."), post("/test", "order")},
	Want: want{
		Ran:    []string{"GET /", "POST /"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "F."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "open"}},
	},
	Control: control{
		What:   "the back end keeps the connection",
		Server: &script.Server{},
		Play:   steps{get("/test"), post("/test", "order")},
	},
})
