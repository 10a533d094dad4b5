package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "closes-without-answer",
	Title: "the back end reads the request and closes without a byte: FIN, 502, no RST anywhere",
	Why: `The back end reads the whole request and calls close(). Nothing is unread, so its kernel ends the connection
in order: FIN, no RST, no error number. nginx waits for the response's head and reads the end of the connection:
"upstream prematurely closed connection while reading response header from upstream", 502. A crash between reading
and answering looks the same (backend-killed-answering): the wire cannot say whether it was a decision or an accident.`,
	Refs: []string{"RFC 9112, 8 (incomplete messages)", "RFC 9293, 3.10.4 (CLOSE)", "close(2)"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Close()}),
	Play:    steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "F."}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{
		What:   "the back end answers before it closes",
		Server: serve(ops{script.ReadRequest(), script.Answer(200, "ok"), script.Close()}),
	},
})
