package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var StaleIdleFixedByPool = add(scenario.Scenario{
	ID:    "stale-idle-fixed-by-pool",
	Title: "the client's pool gives an idle connection up before nginx does",
	Why: `ConnectionPool(5, 3, SECONDS) against nginx's keepalive_timeout 5s: after 3 s OkHttp
closes the idle connection itself. Both sides say FIN, nothing is lost, and the next request
opens a new connection. Who sends the requests must be the one who closes first: this is the
fix that needs no second try. Leave a margin, for both clocks start at different moments.`,
	Refs: []string{"RFC 9293, 3.6", "RFC 9112, 9.3.1"},

	Article: 7,
	Fixes:   "stale-idle",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off, PoolIdle: 3 * second},
	Nginx:   "keepalive-5s",
	Play:    []scenario.Step{get("/test"), idle(6 * second), get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Wire: slices.Concat(
			handshake(client, nginx), exchange(client, nginx),
			[]scenario.Segment{
				{From: client, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "."},
			},
			handshake(client, nginx), exchange(client, nginx)),
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: scenario.Control{What: "the pool keeps its own default of 5 minutes",
		Options: &scenario.Options{Retry: scenario.Off}},
})
