package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "half-closes",
	Title: "the back end shuts down its sending side in the middle of a body: to nginx that is the end",
	Why: `The back end announces 10 bytes, sends 4 and calls shutdown(SHUT_WR): FIN, while its own socket still reads.
TCP allows to go on in the other direction, HTTP/1 has no use for it: a FIN inside a body is the end of a response
that is not whole. nginx passes on what it has, logs "upstream prematurely closed connection while reading upstream"
and closes both of its connections. With the head it had taken the status too, so access.log says 200 and the client
finds the end in the body: "unexpected EOF".`,
	Refs: []string{"RFC 9293, 3.6 (half-close)", "RFC 9112, 8", "shutdown(2)"},

	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(), partial(10, "half"), script.Shut(),
		script.ReadEnd(), script.Close()}),
	Play: steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Body: "half", Bytes: 4}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "F."}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "truncated", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What: "the back end sends all that it has announced",
		Server: serve(ops{script.ReadRequest(), partial(10, "half, half"), script.Shut(),
			script.ReadEnd(), script.Close()}),
	},
})
