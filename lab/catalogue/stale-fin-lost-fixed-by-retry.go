package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "stale-fin-lost-fixed-by-retry",
	Title: "a client that retries does not notice that nginx's FIN was lost",
	Why: `With retryOnConnectionFailure(true), its default, OkHttp takes ECONNRESET on a kept connection for what EOF is to
it: it sends the request again on a new connection and gets 200. A pool that drops its idle connections sooner than
nginx does (stale-idle-fixed-by-pool) helps as well, but not against a reload, which no timeout announces.`,
	Refs: []string{"RFC 9112, 9.3.1", "RFC 9110, 9.2.2"},

	Fixes:   "stale-fin-lost",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.On},
	Play:    finLost,
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Wire:    slices.Concat(exchange(client, nginx), lost, handshake(client, nginx), []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}}),
		Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "stale-fin-lost", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: control{What: "the retry is off", Options: &scenario.Options{Retry: scenario.Off}},
})
