package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "stale-crossing-go-get",
	Title: "Go's client: a GET that crosses nginx's FIN is sent again by net/http, and the caller sees 200",
	Why: `Go reads from its idle connections all the time, so it finds a FIN that has arrived and drops the connection.
Against one that is on its way that does not help: the request leaves, and then the read gives EOF. net/http sends
again what failed on a reused connection before the first byte of the answer, if the method is GET, HEAD, OPTIONS or
TRACE, or if the request has an Idempotency-Key. It has no switch for that. The caller sees 200; the wire shows the
RST, and nginx logs one request.`,
	Refs: []string{"https://pkg.go.dev/net/http#Transport", "RFC 9112, 9.3.1", "RFC 9110, 9.2.2"},

	Play: crossing(get("/test")),
	Want: crossingRetried,
	Or:   []want{and(crossingRetried, reset{From: nginx, To: client, Kind: "after-close"})},
	Control: control{
		What: "it is a POST",
		Play: crossing(post("/test", "order")),
	},
})
