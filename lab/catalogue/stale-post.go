package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "stale-post",
	Title: "Go's client: a POST that crosses nginx's FIN fails with EOF, though the back end never ran it",
	Why: `The POST and nginx's FIN pass each other, nginx's kernel answers with RST, and the client reads EOF. What it can
know is that its request has left and that no answer has come: that looks the same when the back end has run it and
nginx died then. So net/http, which sends a GET again (stale-crossing-go-get), does not do so with a POST: the caller
gets "EOF". The count of the back end shows that it could have: the POST never arrived there.`,
	Refs: []string{"RFC 9110, 9.2.2", "RFC 9112, 9.3.1", "https://pkg.go.dev/net/http#Transport"},

	Play: crossing(post("/test", "order")),
	Want: stalePost,
	Or:   []want{and(stalePost, reset{From: nginx, To: client, Kind: "after-close"})},
	Control: control{
		What: "it is a GET, which net/http sends again",
		Play: crossing(get("/test")),
	},
})

var stalePost = want{
	Replies: []reply{{Status: 200, Conn: 1}, {Class: "eof", Text: []string{`Post "http://test.foo.com/test": EOF`}, Conn: 1}},
	Ran:     []string{"GET /"},
	Wire:    slices.Concat(exchange(client, nginx), crossed),
	Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
	Ends:    []end{{Client: client, Server: nginx, Cause: "stale-crossing", ClosedBy: "server"}},
}
