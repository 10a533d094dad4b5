package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "worker-shutdown-timeout",
	Title: "worker_shutdown_timeout cuts off what a reload had promised to finish: EOF, status 000",
	Why: `After a reload the old worker finishes the requests that it has (reload-in-flight), however long that takes.
worker_shutdown_timeout, here 1 s, sets an end to it: then the worker closes every connection that it still has. The
client, which waits for its answer, reads EOF; the back end sees FIN. access.log says 000, the status of a request that
no status was sent for; error.log has no line. Long requests, downloads, event streams and WebSockets die this way, at
each deployment.`,
	Refs: []string{"https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout", "https://nginx.org/en/docs/control.html#reconfiguration"},

	Nginx:   "worker-shutdown-timeout-1s",
	Takes:   second,
	Backend: "scripted",
	Server:  dropsFirst,
	Play:    steps{begin(get("/test")), said(backend, "working"), reload(nginx), finish(), logged(`"status":"000"`), get("/test")},
	Want: want{
		Replies: []reply{{Class: "eof", Text: []string{`Get "http://test.foo.com/test": EOF`}, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Access:  []access{{}, {Status: 200}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "P."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
		},
	},
	Control: control{
		What:   "the back end answers at once",
		Server: serve(ops{script.ReadRequest(), script.Say("working"), script.Answer(200, "ok"), script.Again()}),
		Play:   steps{begin(get("/test")), said(backend, "working"), finish(), get("/test")},
	},
})
