package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "quit-graceful",
	Title: "nginx is stopped by SIGQUIT: what is under way is finished, then it is gone",
	Why: `SIGQUIT to the master is a graceful shutdown. The listening sockets are closed and so is every idle connection,
FIN. A worker that still has a request finishes it: the answer says Connection: close, FIN follows, and the request
stands in access.log. Then the worker exits, and the master behind it. New connections are refused meanwhile: that is
the part that a second nginx, or a balancer that stops sending first, has to cover. And the idle ones can still meet
stale-crossing.`,
	Refs: []string{"https://nginx.org/en/docs/control.html", "https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout"},

	Fixes:   "term-fast",
	Client:  "raw",
	Backend: "scripted",
	Server:  answersWhenTold,
	Play:    stopped("QUIT"),
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Conn: 1}, {Status: 200, Conn: 2}, {Class: "refused"}},
		Ran:     []string{"GET /", "GET /"},
		Access:  []access{{Status: 200}, {Status: 200}},
		Wire: []segment{{From: nginx, To: backend, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "R."}},
		Resets: []reset{{From: nginx, To: client, Kind: "to-syn"}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "refused"},
		},
	},
	Control: control{What: "SIGTERM in place of SIGQUIT", Play: stopped("TERM")},
})
