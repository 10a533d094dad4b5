package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "bad-chunk",
	Title: "a chunk size that is no number: not a byte for the client, and 200 in access.log",
	Why: `The back end's head is good, its body is chunked, and the first chunk's size is no hexadecimal number. nginx
has taken the head, so $status is 200; but it had not sent it yet when it met the bad chunk in the same read. It logs
"upstream sent invalid chunked response" and gives both connections up. The client gets FIN and not a single byte:
an empty reply, while access.log says 200 with 0 bytes sent.`,
	Refs: []string{"RFC 9112, 7.1", "ngx_http_parse_chunked, src/http/ngx_http_parse.c"},

	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsize\r\nhalf\r\n0\r\n\r\n"),
		script.ReadEnd(), script.Close()}),
	Play: steps{get("/test")},
	Want: want{
		Replies:  []reply{{Class: "eof", Text: []string{"EOF"}}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream sent invalid chunked response while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "F."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"},
		},
	},
	Control: control{
		What: "the size is right",
		Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n"),
			script.ReadEnd(), script.Close()}),
	},
})
