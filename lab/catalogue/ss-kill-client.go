package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "ss-kill-client",
	Title: "ss -K on the client's host: the client's own read is aborted, and nginx logs 499",
	Why: `The kernel of the client's host throws its connections away while it waits for an answer (ss -K, tcp_abort). The
client's read says ECONNABORTED, "software caused connection abort", and not "connection reset by peer": no RST came
from outside. One went out: nginx gets it, stops the request to the back end and logs 499, a client that has gone.`,
	Refs: []string{"ss(8), -K", "tcp_abort, net/ipv4/tcp.c", "RFC 9293, 3.10.5"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("read"), script.ReadEnd(), script.Close()}),
	Play:    steps{begin(get("/test")), said(backend, "read"), patience, destroy(client), finish()},
	Want: want{
		Replies: []reply{{Class: "reset", Text: []string{"read: software caused connection abort"}}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 499}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: client, To: nginx, Flags: "R."}, {From: nginx, To: backend, Flags: "F."}},
		Resets:  []reset{{From: client, To: nginx, Kind: "abort"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "abandoned"}, {Client: nginx, Server: backend, Cause: "abandoned"}},
	},
	Control: control{
		What:   "the kernel lets the connections be",
		Server: serve(ops{script.ReadRequest(), script.Say("read"), script.Answer(200, "ok"), script.Again()}),
		Play:   steps{begin(get("/test")), said(backend, "read"), finish()},
	},
})
