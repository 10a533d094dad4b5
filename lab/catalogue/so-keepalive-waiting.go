package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "so-keepalive-waiting",
	Title: "so_keepalive: a client's host vanishes while its request is with the back end: 499",
	Why: `The client vanishes while nginx waits for the back end: no FIN, no RST, and nginx has nothing to send that could fail.
By so_keepalive=1s:1s:2 its kernel probes the client and gives it up after 3 s: ETIMEDOUT. nginx takes that for a client
that has left: "client prematurely closed connection, so upstream connection is closed too (110: Connection timed out)" at
info, 499, and FIN to the back end, which need not work to its end for nobody.`,
	Refs: []string{"RFC 9293, 3.8.4", "https://nginx.org/en/docs/http/ngx_http_core_module.html#listen"},

	Client:  "raw",
	Nginx:   "so-keepalive",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.ReadEnd(), script.Say("left alone"), script.Close()}),
	Takes:   3 * second,
	Play: steps{raw("c", script.Write(getTest)), said(backend, "working"), quiet(),
		filter(client, "input ip saddr {nginx} drop"), filter(client, "output ip daddr {nginx} drop"), said(backend, "left alone")},
	// The RST is the kernel's, the FIN is what nginx makes of it: no tap says which is first.
	Want: givenUp(segment{From: nginx, To: client, Flags: "R."}, segment{From: nginx, To: backend, Flags: "F."}),
	Or:   []want{givenUp(segment{From: nginx, To: backend, Flags: "F."}, segment{From: nginx, To: client, Flags: "R."})},
	Control: control{
		What: "the client closes",
		Play: steps{raw("c", script.Write(getTest)), said(backend, "working"), raw("c", script.Close()), said(backend, "left alone")},
	},
})

// givenUp is a client that nginx's kernel gives up, with its request at the back end.
func givenUp(wire ...segment) want {
	return want{
		Replies: []reply{{}},
		Ran:     []string{"GET /"},
		Info:    []string{"so upstream connection is closed too (110: Connection timed out) while sending request to upstream"},
		Access:  []access{{Status: 499}},
		Wire:    wire,
		Resets:  []reset{{From: nginx, To: client, Kind: "probe-timeout"}},
		Ends: []end{{Client: client, Server: nginx, Cause: "keepalive-timeout"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"}},
	}
}
