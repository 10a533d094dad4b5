package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "http-10",
	Title: "a client of HTTP/1.0 gets FIN after each answer, unless it asks to be kept",
	Why: `In HTTP/1.0 a connection ends with the answer, and a client that wants it kept has to say so: Connection:
keep-alive. ab without -k, old health checks and many small devices do not. nginx answers them with Connection: close
and FIN: a new connection for each request, and TIME_WAIT on nginx's side, as it closes first. It is no failure until
ports or sockets run out. With the header the connection stays.`,
	Refs: []string{"RFC 9112, 9.3", "RFC 1945, 1.3", "RFC 9293, 3.6.1"},

	Client: "raw",
	Play: steps{
		raw("plain", script.Write(get10), script.ReadResponse(), script.ReadEnd(), script.Close()),
		raw("kept", script.Write(get10Kept), script.ReadResponse()), raw("kept", script.Write(get10Kept), script.ReadResponse()),
	},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /", "GET /"},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: control{
		What: "it asks to be kept, and closes itself",
		Play: steps{
			raw("plain", script.Write(get10Kept), script.ReadResponse(), script.Close()),
			raw("kept", script.Write(get10Kept), script.ReadResponse()), raw("kept", script.Write(get10Kept), script.ReadResponse()),
		},
	},
})

const (
	get10     = "GET /test HTTP/1.0\r\nHost: test.foo.com\r\n\r\n"
	get10Kept = "GET /test HTTP/1.0\r\nHost: test.foo.com\r\nConnection: keep-alive\r\n\r\n"
)
