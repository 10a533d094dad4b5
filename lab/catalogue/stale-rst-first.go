package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "stale-rst-first",
	Title: "the RST that answers a request overtakes nginx's FIN: \"Connection reset\" where a crossing gives EOF",
	Why: `nginx closes an idle connection, and its FIN is late. The client sends its request, nginx's kernel answers with
RST, and the RST is delivered first: the client reads ECONNRESET, "Connection reset", where the same crossing in the
usual order (stale-crossing) gives EOF. On a network it takes a FIN that is reordered or lost; here the order is
forced: the FIN is kept back at the client until the RST has passed. So neither text tells how the connection died:
they are two orders of one failure.`,
	Refs: []string{"RFC 9293, 3.10.7.4", "RFC 9112, 9.3.1"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Play:    rstFirst,
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Class: "reset", Text: []string{"Connection reset"}, Conn: 1}},
		Ran:     []string{"GET /"},
		Wire:    slices.Concat(exchange(client, nginx), crossed),
		Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "stale-crossing", ClosedBy: "server"}},
	},
	Control: control{
		What: "the FIN is delivered before the RST",
		Play: crossing(get("/test")),
	},
})

var rstFirst = steps{get("/test"), gate(client, scenario.RSTFirst), begin(get("/test")), held(client), reload(nginx)}
