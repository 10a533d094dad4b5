package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "term-fast",
	Title: "nginx is stopped by SIGTERM: requests under way are cut off, and no log says so",
	Why: `SIGTERM to the master, which is what kill sends, and docker stop if the image does not say otherwise, is a fast
shutdown: the workers exit at once. Their kernel closes every socket in order. A client that waits for its answer reads
EOF; the back end, which goes on working, sees FIN. The exit comes before the logging: the request has no line in
access.log and none in error.log. Idle connections get FIN as well, and whoever comes then is refused.`,
	Refs: []string{"https://nginx.org/en/docs/control.html", "RFC 9112, 9.6"},

	Client:  "raw",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Say("working"), script.ReadEnd(), script.Close()}),
	Play:    stopped("TERM"),
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Conn: 1}, {Class: "eof", Conn: 2}, {Class: "refused"}},
		Ran:     []string{"GET /", "GET /"},
		Access:  []access{{Status: 200}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "R."}},
		Resets:  []reset{{From: nginx, To: client, Kind: "to-syn"}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
			{Client: client, Server: nginx, Cause: "refused"},
		},
	},
	Control: control{
		What:   "SIGQUIT in place of SIGTERM",
		Server: answersWhenTold,
		Play:   stopped("QUIT"),
	},
})

// stopped is nginx stopped by a signal while one connection is idle and a
// request on another is at the back end; when nginx has ended, a new client comes.
func stopped(by string) steps {
	return steps{
		raw("idle", script.Write(getTest), script.ReadResponse()), begin(raw("idle", script.ReadEnd(), script.Close())),
		begin(raw("busy", script.Write(getTest), script.ReadResponse(), script.ReadEnd(), script.Close())), said(backend, "working"), patience,
		signal(nginx, by, scenario.Leader), await(nginx, client, "F."), tell(backend, "done"), finish(),
		ended(nginx), raw("new", script.Write(getTest), script.ReadResponse()),
	}
}

// answersWhenTold answers the first request at once and the second when it is told.
var answersWhenTold = serve(ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "ok"), script.Again()})
