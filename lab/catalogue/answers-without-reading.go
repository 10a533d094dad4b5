package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "answers-without-reading",
	Title: "the back end answers and closes without having read: 200, and at times an error line for nothing",
	Why: `The back end does not need to read a request to answer it, 503 when it is too busy or the same page to
everybody. It writes the answer and closes; the request is unread, so RST follows the answer. On Linux what arrived
before the RST stays readable, and nginx has nothing more to send: it reads the whole answer, passes it on, and
reads once more: "readv() failed (104: Connection reset by peer) while reading upstream". The line comes
only if the RST had arrived by then. With more of a request to send it is early-413, and the answer is lost.`,
	Refs: []string{"RFC 2525, 2.17", "RFC 9112, 9.6", "tcp_reset, net/ipv4/tcp_input.c"},

	Backend: "scripted",
	Server:  serve(ops{script.Wait("answer"), script.Answer(200, "ok"), script.Close()}),
	Play:    steps{begin(get("/test")), await(backend, nginx, "."), tell(backend, "answer")},
	Want: want{
		Replies:  []reply{{Status: 200, Body: "ok"}},
		Ran:      []string{},
		ErrorLog: []string{"readv() failed (104: Connection reset by peer) while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Or: []want{{ // the RST came after nginx had read
		Replies: []reply{{Status: 200, Body: "ok"}},
		Ran:     []string{},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire:    []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}},
		Resets:  []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:    []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	}},
	Control: control{
		What:   "the back end reads first",
		Server: serve(ops{script.Wait("answer"), script.ReadRequest(), script.Answer(200, "ok"), script.Close()}),
	},
})
