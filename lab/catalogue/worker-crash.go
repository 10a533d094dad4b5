package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "worker-crash",
	Title: "a worker of nginx crashes: all its clients read EOF, and the log has one [alert] with signal 11",
	Why: `A module has a fault and the worker dies of SIGSEGV. For all of its connections at once that is what a kill is
(worker-killed-in-flight): FIN from the kernel, EOF for those that wait, no line in access.log for what was under way,
the faulty request among it. What is left is the master's line: "worker process … exited on signal 11", [alert], and
"(core dumped)" where the system keeps one. The next worker is there at once, until the same request comes again.`,
	Refs: []string{"https://nginx.org/en/docs/debugging_log.html", "signal(7), SIGSEGV", "RFC 9112, 9.6"},

	Backend: "scripted",
	Server:  dropsFirst,
	Play:    steps{begin(get("/test")), said(backend, "working"), patience, signal(nginx, "SEGV", scenario.Workers), finish(), logged("exited on signal 11"), get("/test")},
	Want: want{
		Replies:  []reply{{Class: "eof", Conn: 1}, {Status: 200, Conn: 2}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"exited on signal 11"},
		Wire:     []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "S."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
		},
	},
	Control: control{
		What:   "no worker crashes",
		Server: &script.Server{},
		Play:   steps{get("/test"), get("/test")},
	},
})
