package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "listener-closed",
	Title: "a server stops listening while a connection waits in its accept queue: RST, and nginx says 502",
	Why: `The back end's kernel has made the connection and acknowledged the request; both wait in the accept queue for
an accept() that never comes. Then the server ends, as in a restart under load. A connection that was never
accepted belongs to the listening socket, and goes with it: the kernel aborts it, RST. "recv() failed (104:
Connection reset by peer) while reading response header from upstream", 502. The request had not run, and nginx
cannot know that. SO_REUSEPORT does not help: each listener has a queue of its own.`,
	Refs: []string{"inet_csk_listen_stop, net/ipv4/inet_connection_sock.c", "RFC 9293, 3.10.5 (ABORT)", "listen(2)"},

	Backend: "scripted",
	Server:  &script.Server{Deaf: true},
	Play:    steps{begin(get("/test")), await(backend, nginx, "."), kill(backend)},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "."}, {From: backend, To: nginx, Flags: "R."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What:   "the server accepts and reads before it ends",
		Server: serve(ops{script.ReadRequest(), script.Say("read")}),
		Play:   steps{begin(get("/test")), said(backend, "read"), kill(backend)},
	},
})
