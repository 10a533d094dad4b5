package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "stale-post-looks",
	Title: "OkHttp looks at an idle connection before a POST, though not before a GET: no failure",
	Why: `nginx has closed the idle connection and its FIN has arrived, as in stale-idle. But for any method other than GET
OkHttp tests a connection from its pool first: a read with a timeout of 1 ms, which finds the end. It closes the
connection and makes a new one, even with its retry off. The test costs up to 1 ms a request, so GET goes without and
relies on the retry. It sees only what has arrived: a POST that crosses the FIN is not saved by it (stale-post-okhttp).`,
	Refs: []string{"RFC 9112, 9.3.1", "okhttp3.internal.connection.RealConnection.isHealthy"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Play:    steps{get("/test"), reload(nginx), await(nginx, client, "F."), quiet(), post("/test", "order")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "POST /"},
		Wire: []segment{{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."},
			{From: client, To: nginx, Flags: "S"}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "open"},
		},
		Sockets: []socket{{Before: 2, Host: nginx, State: "FIN-WAIT-2"}, {Before: 2, Host: client, State: "CLOSE-WAIT"}},
	},
	Control: control{
		What: "it is a GET",
		Play: steps{get("/test"), reload(nginx), await(nginx, client, "F."), quiet(), get("/test")},
	},
})
