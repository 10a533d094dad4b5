package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "h2-reload",
	Title: "HTTP/2: a reload of nginx in the middle of a request is GOAWAY, and the request is answered",
	Why: `On SIGHUP the old worker says GOAWAY on each connection of HTTP/2: no new stream, please; those under way it finishes.
The client's request is answered in full on the old connection, then both sides close it. The client's next request goes
out on a new one, to a new worker. Nobody fails and nobody retries.`,
	Refs: []string{"RFC 9113, 6.8", "https://nginx.org/en/docs/control.html#reconfiguration"},

	Options: scenario.Options{HTTP2: scenario.On},
	Nginx:   "http2",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("read"), script.Wait("answer"), script.Answer(200, "ok"), script.Again()}),
	Play: steps{
		begin(get("/test")), said(backend, "read"), reload(nginx), await(nginx, client, "P."), quiet(),
		tell(backend, "answer"), finish(), tell(backend, "answer"), get("/test"),
	},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Info:    []string{"gracefully shutting down"},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "S"},
		},
		Ends: []end{{Client: client, Server: nginx, Cause: "closed"}, {Client: client, Server: nginx, Cause: "open"}},
	},
	Control: control{
		What: "nginx is not reloaded",
		Play: steps{begin(get("/test")), said(backend, "read"), tell(backend, "answer"), finish(), tell(backend, "answer"), get("/test")},
	},
})
