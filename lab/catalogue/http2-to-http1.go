package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "http2-to-http1",
	Title: "a client that speaks HTTP/2 at once, to an nginx that does not: 400",
	Why: `HTTP/2 over clear text with prior knowledge begins with a preface that reads like a request of HTTP/1:
"PRI * HTTP/2.0". It was made so that a server of HTTP/1 refuses it, and nginx does: "client sent invalid request while
reading client request line" at info, 400, FIN. The client has asked for frames and cannot make sense of "HTTP/1.1 400".`,
	Refs: []string{"RFC 9113, 3.3 and 3.4", "https://nginx.org/en/docs/http/ngx_http_v2_module.html#http2"},

	Options: scenario.Options{HTTP2: scenario.On},
	Play:    steps{get("/test")},
	Want: want{
		Replies: []reply{{Class: "other"}},
		Info:    []string{"client sent invalid request while reading client request line"},
		Access:  []access{{Status: 400}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
		Ends:    []end{{Client: client, Server: nginx}}, // a GOAWAY of the client may be its last word: not read in what began as HTTP/1
	},
	Control: control{What: "the client speaks HTTP/1.1", Options: &scenario.Options{HTTP2: scenario.Off}},
})
