package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "grpc-to-http",
	Title: "grpc_pass to a back end that speaks HTTP/1.1: 502, and a strange number in the log",
	Why: `grpc_pass speaks HTTP/2, and the back end answers in HTTP/1.1: "HTTP/1.1 400 ...". The first three bytes of a frame
of HTTP/2 are its length, and "HTT" is 4740180: "upstream sent too large http2 frame: 4740180". That number in a log
always means a back end, or a port, that speaks HTTP/1.1.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_grpc_module.html", "RFC 9113, 4.1"},

	Nginx:   "grpc",
	Backend: "scripted",
	Server:  serve(ops{script.Read(8), script.Answer(400, "no HTTP/1.1"), script.ReadEnd(), script.Close()}),
	Play:    steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"upstream sent too large http2 frame: 4740180 while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "F."}},
	},
	Control: control{
		What:   "the back end closes without a word",
		Server: serve(ops{script.Read(8), script.Reset()}),
	},
})
