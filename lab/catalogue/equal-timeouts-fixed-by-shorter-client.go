package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "equal-timeouts-fixed-by-shorter-client",
	Title: "the client keeps an idle connection for half of nginx's time: it closes first, and nothing is lost",
	Why: `The client gives its idle connection up after 0.5 s where nginx would after 1 s. FIN comes from the side that sends
requests: nobody can have one under way on it. The next request, 1 s after the last answer as before, takes a new
connection. The distance between the two times has to cover what clocks, queues and garbage collections add up to:
take seconds, and not the last one.`,
	Refs: []string{"RFC 9112, 9.3.1", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout"},

	Fixes:  "equal-timeouts",
	Client: "raw",
	Nginx:  "keepalive-1s",
	Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Rest(500*millisecond), script.Close()),
		idle(500 * millisecond), raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "F."},
			{From: client, To: nginx, Flags: "S"}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"},
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"},
		},
	},
	Control: control{
		What: "the client keeps it for longer than nginx",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Rest(2*second), script.Close()),
			raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
