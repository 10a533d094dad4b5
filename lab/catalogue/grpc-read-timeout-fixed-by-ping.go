package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "grpc-read-timeout-fixed-by-ping",
	Title: "the server says PING on its quiet streams, and nginx reads: the call lives as long as it likes",
	Why: `grpc_read_timeout counts from one read to the next, whatever is read. A PING of HTTP/2 is a frame of the
connection and no part of any call: nginx answers it itself, and begins to count again. So a server whose keepalive is
on, at an interval below the timeout, keeps a quiet stream open through nginx. The client's pings do not: they end
at nginx. Or grpc_read_timeout is as long as a stream may be quiet.`,
	Refs: []string{"RFC 9113, 6.7", "https://nginx.org/en/docs/http/ngx_http_grpc_module.html#grpc_read_timeout", "https://grpc.io/docs/guides/keepalive/"},

	Fixes:   grpcReadTimeout.ID,
	Nginx:   "grpc-read-timeout-1s",
	Backend: "node-http2",
	Takes:   2 * second,
	Play:    steps{post("/test/pinged", "call")},
	Want: want{
		Replies: []reply{{Status: 200}},
		Ran:     []string{"POST /test/pinged"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Ends:    []end{{Client: nginx, Server: backend, Cause: "open"}},
	},
	Control: control{What: "the server has nothing to say", Play: grpcReadTimeout.Play},
})
