package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "backend-killed-mid-body",
	Title: "the back end dies in the middle of its answer: 200, and a body that is too short",
	Why: `The back end has promised 100000 bytes (Content-Length) and has sent 30000 when it is killed. Its kernel closes in
order: FIN. nginx has long passed the head on, 200, and cannot take that back: it writes "upstream prematurely closed
connection while reading upstream" to error.log, passes on what it has, and closes the client's connection, for
the only way that is left to say "this was not all" is to end before the promised length. access.log has 200. A
client that counts says so ("unexpected EOF"); no retry of nginx is possible any more.`,
	Refs: []string{"RFC 9112, 8 (Handling Incomplete Messages)", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), script.Fill(30000), script.Say("sent"), script.Wait("never")}),
	Play:    steps{begin(get("/test")), said(backend, "sent"), quiet(), kill(backend)},
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
		Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), script.Say("sent"), script.Wait("never")}),
	},
})
