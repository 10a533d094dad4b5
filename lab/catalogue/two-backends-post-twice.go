package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "two-backends-post-twice",
	Title: "proxy_next_upstream non_idempotent: the POST is tried again, the client sees 200, and it has run twice",
	Why: `The same POST is lost in the same way after the first server has read it. With non_idempotent nginx takes the risk
and passes it to the second server: 200, "502, 200". Both servers have run it, and the client knows of one: the
order is placed twice. It is safe only where the application itself tells a repetition from a new request, as by
an Idempotency-Key.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9110, 9.2.2"},

	Compose: "two-backends",
	Nginx:   "two-backends-non-idempotent",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Reset()}),
	Second:  named("second"),
	Play:    steps{post("/test", "order 1")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "second"}},
		Ran:     []string{"POST /", "POST /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream",
			"upstream server temporarily disabled while reading response header from upstream"},
		Access: []access{{Status: 200, Upstream: "502, 200"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{What: "nginx as it is by itself", Nginx: "two-backends"},
})
