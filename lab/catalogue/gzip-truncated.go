package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "gzip-truncated",
	Title: "gzip takes the Content-Length away: a cut answer is one without a last chunk",
	Why: `nginx compresses what it passes on, so it cannot say how long it will be: the back end's Content-Length goes and
the answer is chunked. The back end closes after 6000 of 10000 bytes: "upstream prematurely closed connection while
reading upstream". nginx compresses what it has and closes: FIN without the last chunk, and without the CRC and the size
that a gzip file ends with. The client gets the 6000 bytes and "unexpected EOF"; how many are missing it cannot know,
and whoever takes the end of the connection for the end of the body has a broken file.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_gzip_module.html", "RFC 9112, 8", "RFC 1952, 2.3.1"},

	Nginx:   "gzip",
	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(),
		script.Write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10000\r\n\r\n").Filled(6000), script.Close()}),
	Play: steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Bytes: 6000}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "truncated", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What: "the back end sends all that it has announced",
		Server: serve(ops{script.ReadRequest(),
			script.Write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6000\r\n\r\n").Filled(6000), script.Close()}),
	},
})
