package catalogue

import (
	"strings"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "header-too-big-fixed-by-buffer-size",
	Title: "proxy_buffer_size 16k: the same head fits",
	Why: `The head of 6 kB fits in one buffer of 16 kB, and the answer goes through. proxy_buffers must grow with it: nginx
refuses to start when proxy_busy_buffers_size, twice the larger of the two, is not less than all of them but one.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size",
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_busy_buffers_size"},

	Fixes:   "header-too-big",
	Nginx:   "buffer-16k",
	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(),
		script.Write("HTTP/1.1 200 OK\r\nX-Big: " + strings.Repeat("x", 6000) + "\r\nContent-Length: 2\r\n\r\nok")}),
	Play: steps{get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "ok"}},
		Ran:     []string{"GET /"},
		Wire:    []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
	},
	Control: control{What: "proxy_buffer_size stays at 4 kB", Nginx: "baseline"},
})
