package catalogue

import "rstlab/lab/scenario"

var grpcReadTimeout = add(scenario.Scenario{
	ID:    "grpc-read-timeout",
	Title: "a gRPC stream with nothing to say: nginx cuts it after grpc_read_timeout, and both ends are surprised",
	Why: `A call that streams, as one that watches for changes, may have nothing to say for minutes. For nginx that is a
server that hangs: grpc_read_timeout, 60 s by itself and here 1 s, counts from one read to the next. Then it logs "upstream
timed out", closes the server's connection, and ends the answer that it had begun: 200 in access.log, no grpc-status
for the client. The server learns of it by a FIN on a stream that it holds for open.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_grpc_module.html#grpc_read_timeout", "https://grpc.io/docs/guides/keepalive/"},

	Nginx:   "grpc-read-timeout-1s",
	Backend: "node-http2",
	Takes:   second,
	Play:    steps{post("/test/open", "call")},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}}},
		Ran:      []string{"POST /test/open"},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "F."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
		},
	},
	Control: control{
		What: "the server ends the call at once",
		Play: steps{post("/test", "call")},
	},
})
