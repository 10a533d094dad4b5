package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "stale-crossing",
	Title: "the request and nginx's FIN pass each other on the wire: EOF, and nobody did anything wrong",
	Why: `nginx closes an idle connection: its keepalive_timeout has passed, or, as here, it is reloaded. Its FIN is on
the way when the client takes the same connection from its pool: no look at the socket can show what has not
arrived yet. The request leaves, then the FIN arrives, and at nginx the request meets a socket that is closed: its
kernel answers with RST. The client has read the FIN first, so what it sees is EOF; where it closes before the RST
is there, its own FIN is answered with a second one. The data's acknowledgement does not cover the FIN: that is how
the wire tells a crossing from a request that was sent too late.`,
	Refs: []string{"RFC 9293, 3.10.7.4", "RFC 9112, 9.3.1", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Play:    crossing(get("/test")),
	Want:    staleCrossing,
	Or:      []want{and(staleCrossing, reset{From: nginx, To: client, Kind: "after-close"})},
	Control: control{
		What: "nginx does not close",
		Play: steps{get("/test"), get("/test")},
	},
})

// crossing is a request that waits on the wire until nginx's FIN comes against it.
func crossing(request scenario.Step) steps {
	return steps{get("/test"), gate(client, scenario.FINFirst), begin(request), held(client), reload(nginx)}
}

var staleCrossing = want{
	Replies: []reply{{Status: 200, Conn: 1}, {Class: "eof", Text: []string{"unexpected end of stream"}, Conn: 1}},
	Ran:     []string{"GET /"},
	Wire:    slices.Concat(exchange(client, nginx), crossed),
	Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
	Ends:    []end{{Client: client, Server: nginx, Cause: "stale-crossing", ClosedBy: "server"}},
}

// crossed is a request that a FIN has passed.
var crossed = []segment{{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R"}}
