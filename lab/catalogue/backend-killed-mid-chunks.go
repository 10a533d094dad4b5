package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "backend-killed-mid-chunks",
	Title: "the back end dies between two chunks of its answer: 200, and no last chunk",
	Why: `The back end answers in chunks and is killed before the last one, the one of length 0 that says "this was all". Its
kernel closes in order: FIN. nginx knows that something is missing, "upstream prematurely closed connection while
reading upstream", and tells the client in the only way that HTTP/1.1 has once 200 is out: it sends no last
chunk and closes. Every chunk that came is whole; only a client that waits for the last one knows that there
should be more ("unexpected EOF"). access.log has 200.`,
	Refs: []string{"RFC 9112, 7.1 and 8 (Handling Incomplete Messages)", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), script.Wait("never")}),
	Play:    steps{begin(get("/test")), await(nginx, client, "P."), kill(backend)},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What:   "the answer is whole when the back end is killed",
		Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), script.Wait("never")}),
	},
})
