package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "stale-crossing-fixed-by-retry",
	Title: "a client that retries does not notice that its request and nginx's FIN have crossed",
	Why: `Against a crossing no timeout helps, only a smaller chance of it: whoever closes, the other may send at that
moment. RFC 9112 therefore asks a client to be ready for it. OkHttp with retryOnConnectionFailure(true), its default,
reads EOF before the first byte of an answer and sends the request again on a new connection. For a GET that is
safe, whatever became of the first one.`,
	Refs: []string{"RFC 9112, 9.3.1", "RFC 9110, 9.2.2"},

	Fixes:   "stale-crossing",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.On},
	Play:    crossing(get("/test")),
	Want:    crossingRetried,
	Or:      []want{and(crossingRetried, reset{From: nginx, To: client, Kind: "after-close"})},
	Control: control{What: "the retry is off", Options: &scenario.Options{Retry: scenario.Off}},
})

// crossingRetried is a crossing that the client makes good on a new connection.
var crossingRetried = want{
	Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
	Ran:     []string{"GET /", "GET /"},
	Wire:    slices.Concat(exchange(client, nginx), crossed, handshake(client, nginx), []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}}),
	Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
	Ends: []end{
		{Client: client, Server: nginx, Cause: "stale-crossing", ClosedBy: "server"},
		{Client: client, Server: nginx, Cause: "open"},
	},
}
