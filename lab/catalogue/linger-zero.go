package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "linger-zero",
	Title: "the back end closes with SO_LINGER 0: RST in place of an answer, 104 in nginx's log",
	Why: `The back end reads the request and then closes its socket with SO_LINGER set to 0 seconds. That is no close
but an abort: the kernel throws the connection away and sends RST of its own accord. nginx, waiting for the
response's head, gets ECONNRESET from recv(): "104: Connection reset by peer".`,
	Refs: []string{"RFC 9293, 3.10.5 (ABORT)", "socket(7), SO_LINGER"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Reset()}),
	Play:    steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What:   "the back end answers before it closes",
		Server: serve(ops{script.ReadRequest(), script.Answer(200, "ok"), script.Close()}),
	},
})
