package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "reload-in-flight",
	Title: "a reload finishes what is under way: the old worker answers, then closes its connection",
	Why: `On SIGHUP new workers start, and the old one is told to shut down: it closes its idle connections (reload-idle)
and keeps those with a request. When the back end answers, the client gets its 200 from the old worker, with Connection:
close, and FIN behind it. So an attentive client takes a new connection for its next request, and the new worker has it.
No failure, and without worker_shutdown_timeout no limit: old workers stay for as long as their last request does.`,
	Refs: []string{"https://nginx.org/en/docs/control.html#reconfiguration", "https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout", "RFC 9112, 9.6"},

	Fixes:   "worker-shutdown-timeout",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "ok"), script.Again()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{begin(get("/test")), said(backend, "working"), reload(nginx), logged("gracefully shutting down"), idle(2 * second), tell(backend, "done"), finish(), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "P."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: control{
		What: "nginx is not reloaded",
		Play: steps{begin(get("/test")), said(backend, "working"), tell(backend, "done"), finish(), get("/test")},
	},
})
