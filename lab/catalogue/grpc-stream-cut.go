package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "grpc-stream-cut",
	Title: "the gRPC server dies in the middle of a stream of messages: 200, and no grpc-status",
	Why: `The server has answered with HEADERS (200) and a first message when it is killed. What a call came to is said by
its last frame, HEADERS with grpc-status; that never comes. nginx has passed 200 on and cannot take it back: it logs
"upstream prematurely closed connection while reading upstream" and ends the answer without its last chunk. In
access.log the call is a 200. A client that waits for grpc-status knows better, and takes its lack for an error.`,
	Refs: []string{"RFC 9113, 8.1", "https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md", "https://nginx.org/en/docs/http/ngx_http_grpc_module.html"},

	Nginx:   "grpc",
	Backend: "node-http2",
	Play:    steps{begin(post("/test/open", "call")), said(backend, "sent"), quiet(), kill(backend)},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}}},
		Ran:      []string{"POST /test/open"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What: "the server ends the call",
		Play: steps{post("/test", "call"), kill(backend)},
	},
})
