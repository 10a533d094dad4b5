package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "no-length-reset",
	Title: "a response without a length, cut by RST: now nginx can tell, and it throws away the end of what it had",
	Why: `A body without a length as in no-length-fin, but the back end goes with RST. An RST is never the end of a
body, so nginx logs "readv() failed (104: Connection reset by peer) while reading upstream" and closes the client's
connection without a last chunk: "unexpected EOF". Of the 6000 bytes that had come the last 2 kB waited in a buffer that
was not full yet (proxy_buffering), and are dropped with it (lost-last-buffer).`,
	Refs: []string{"RFC 9112, 6.3 and 8", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\n\r\n").Filled(6000), script.Wait("reset"), script.Reset()}),
	Play:    steps{begin(get("/test")), await(nginx, client, "P."), quiet(), tell(backend, "reset")},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Bytes: 4077}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"readv() failed (104: Connection reset by peer) while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}, {From: nginx, To: client, Flags: "F."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "aborted"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What:   "the back end goes with FIN",
		Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\n\r\n").Filled(6000), script.Wait("reset"), script.Close()}),
	},
})
