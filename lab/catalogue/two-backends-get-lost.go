package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "two-backends-get-lost",
	Title: "a GET whose answer is lost is tried again on the second back end: the client sees 200, and it has run twice",
	Why: `The first server has read the GET and dies by RST before it answers. GET is idempotent, to run it twice does no
harm, so nginx passes it to the second server by itself (proxy_next_upstream has "error timeout"): 200, "502, 200".
It did run twice: a GET that counts, orders or deletes something does so twice. What fails for a POST in the same
place is two-backends-post-lost.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9110, 9.2.2"},

	Compose: "two-backends",
	Nginx:   "two-backends",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Reset()}),
	Second:  named("second"),
	Play:    steps{get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "second"}},
		Ran:     []string{"GET /", "GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream",
			"upstream server temporarily disabled while reading response header from upstream"},
		Access: []access{{Status: 200, Upstream: "502, 200"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{What: "the first server answers", Server: named("first")},
})
