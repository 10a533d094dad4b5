package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "worker-killed-in-flight",
	Title: "a worker of nginx is killed with a request at the back end: EOF, no access line, one [alert]",
	Why: `A worker dies of SIGKILL, as the kernel does it when memory runs out. Its kernel closes its sockets in order: FIN
to the client, which waits for an answer and reads EOF, and FIN to the back end, which works on. The worker cannot log
any more, so access.log lacks the request. The master says "worker process … exited on signal 9", [alert], and starts
another: the listening socket is the master's as well, so a new connection finds it open.`,
	Refs: []string{"https://nginx.org/en/docs/control.html", "RFC 9293, 3.10.4 (CLOSE)", "RFC 9112, 9.6"},

	Backend: "scripted",
	Server:  dropsFirst,
	Play:    steps{begin(get("/test")), said(backend, "working"), patience, signal(nginx, "KILL", scenario.Workers), finish(), logged("exited on signal 9"), get("/test")},
	Want: want{
		Replies:  []reply{{Class: "eof", Text: []string{`Get "http://test.foo.com/test": EOF`}, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"exited on signal 9"},
		Wire:     []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "S."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
		},
	},
	Control: control{
		What:   "nobody is killed",
		Server: &script.Server{},
		Play:   steps{get("/test"), get("/test")},
	},
})

// dropsFirst is a back end whose first connection ends while it works on the
// request.
var dropsFirst = serve(
	ops{script.ReadRequest(), script.Say("working"), script.ReadEnd(), script.Close()},
	ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()})
