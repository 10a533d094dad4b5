package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "ss-kill-backend",
	Title: "ss -K on the back end's host: 104 for nginx, 502 for the client",
	Why: `The kernel of the back end's host throws its connections away while a request is being worked on (ss -K,
tcp_abort). It sends RST: "104: Connection reset by peer", and 502. To nginx that is the same as a back end that
crashed or closed with SO_LINGER 0; but here the process lives, and goes on working on a request whose answer it
cannot send any more.`,
	Refs: []string{"ss(8), -K", "tcp_abort, net/ipv4/tcp.c", "RFC 9293, 3.10.5"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("read"), script.Wait("answer"), script.Answer(200, "ok"), script.Again()}),
	Play:    steps{begin(get("/test")), said(backend, "read"), destroy(backend), finish()},
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
		What: "the kernel lets the connections be",
		Play: steps{begin(get("/test")), said(backend, "read"), tell(backend, "answer"), finish()},
	},
})
