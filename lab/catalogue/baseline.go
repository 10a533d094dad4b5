package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var Baseline = add(scenario.Scenario{
	ID:    "baseline",
	Title: "two requests share one kept connection, and nobody closes it",
	Why: `The client's pool keeps the connection after the first answer, nginx keeps it too
(keepalive_timeout, 75 s by default), and the second request goes out on it: no handshake,
the same local port. The failures of kept connections start from here: one side closes
such a connection, and the other does not know yet.`,
	Refs: []string{"RFC 9112, 9.3", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout"},

	Article: 1,
	Play:    []scenario.Step{get("/test"), get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}},
		Wire:    slices.Concat(handshake(client, nginx), handshake(nginx, backend)),
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			{Client: nginx, Server: backend, Cause: "open"},
		},
	},
	Control: scenario.Control{What: "the back end is killed between the two requests",
		Play: []scenario.Step{get("/test"), quiet(), kill(backend), get("/test")}},
})
