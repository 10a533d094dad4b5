package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "grpc-backend-killed",
	Title: "the gRPC server dies while it works on a call: FIN on an open stream, and nginx says 502",
	Why: `nginx speaks HTTP/2 with the server, the call is a stream, and its process is killed while it works on that. A
server that stops in order says GOAWAY first, with the number of the last stream that it took; who is killed says
nothing: its kernel sends FIN, and the stream stays open for ever. nginx logs what it would log of HTTP/1.1,
"upstream prematurely closed connection", and answers 502, which a gRPC client takes for UNAVAILABLE. How far the
work had come nobody knows. Every call is a POST, so nginx does not send it again.`,
	Refs: []string{"RFC 9113, 5.4.1", "https://nginx.org/en/docs/http/ngx_http_grpc_module.html#grpc_next_upstream",
		"https://grpc.github.io/grpc/core/md_doc_http-grpc-status-mapping.html"},

	Nginx:   "grpc",
	Backend: "node-http2",
	Play:    steps{begin(post("/test/never", "call")), said(backend, "working"), kill(backend)},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{"POST /test/never"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{
		What: "the server is left alone, and answers",
		Play: steps{post("/test", "call")},
	},
})
