package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var StaleIdleFixedByRetry = add(scenario.Scenario{
	ID:    "stale-idle-fixed-by-retry",
	Title: "OkHttp tries again on a new connection, and the caller sees nothing",
	Why: `The failure is the same to the packet: nginx closed first, the request meets a socket
that nobody owns, and its kernel answers with RST. With retryOnConnectionFailure(true),
OkHttp's default, the client then sends the request again on a new connection and gets 200.
The RST stays on the wire: not every RST is a fault. A request that must not run twice is
not safe with a retry unless the client can know that the first was never read.`,
	Refs: []string{"RFC 9110, 9.2.2", "RFC 9112, 9.3.1"},

	Article: 8,
	Fixes:   "stale-idle",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.On},
	Nginx:   "keepalive-5s",
	Play:    []scenario.Step{get("/test"), idle(6 * second), get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Wire: slices.Concat(
			handshake(client, nginx), exchange(client, nginx),
			staleRequest(client, nginx),
			handshake(client, nginx), exchange(client, nginx)),
		Resets: []scenario.Reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: scenario.Control{What: "the retry is off",
		Options: &scenario.Options{Retry: scenario.Off}},
})
