package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "stale-post-fixed-by-idempotency-key",
	Title: "Go's client sends a POST with an Idempotency-Key again: 200, and the back end ran it once",
	Why: `The header Idempotency-Key says that the server recognises a request that it has run already, so that sending it
twice does no harm. net/http takes it at its word: with the header it treats a POST as a GET and sends it again on a
new connection when a kept one turns out to be closed. Here nothing of the first has arrived, so it runs once. Where
the first had been run, it is the server's part to answer the second from its record: the header alone protects nobody.`,
	Refs: []string{"https://pkg.go.dev/net/http#Transport", "draft-ietf-httpapi-idempotency-key-header", "RFC 9110, 9.2.2"},

	Fixes: "stale-post",
	Play:  crossing(post("/test", "order").With("Idempotency-Key: 8e03978e")),
	Want:  postRetried,
	Or:    []want{and(postRetried, reset{From: nginx, To: client, Kind: "after-close"})},
	Control: control{
		What: "without the header",
		Play: crossing(post("/test", "order")),
	},
})

// postRetried is a POST that has crossed a FIN, and that its client has sent again.
var postRetried = want{
	Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
	Ran:     []string{"GET /", "POST /"},
	Wire:    slices.Concat(exchange(client, nginx), crossed, handshake(client, nginx), []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}}),
	Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
	Ends: []end{
		{Client: client, Server: nginx, Cause: "stale-crossing", ClosedBy: "server"},
		{Client: client, Server: nginx, Cause: "open"},
	},
}
