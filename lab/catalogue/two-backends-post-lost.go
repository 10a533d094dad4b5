package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "two-backends-post-lost",
	Title: "a POST whose answer is lost is not tried again, though a second back end is there: 502",
	Why: `The first server has read the POST, perhaps run it, and dies by RST before it answers. nginx cannot know which;
to send it to the second server could run it twice. So it does not (POST, LOCK and PATCH are not idempotent), and
the client gets 502 with a healthy server at hand: "recv() failed (104: Connection reset by peer)", $upstream_status
"502". A GET in its place would have been tried again (two-backends-get-lost).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9110, 9.2.2"},

	Compose: "two-backends",
	Nginx:   "two-backends",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Reset()}),
	Second:  named("second"),
	Play:    steps{post("/test", "order 1")},
	Want: want{
		Replies: []reply{{Status: 502}},
		Ran:     []string{"POST /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream",
			"upstream server temporarily disabled while reading response header from upstream"},
		Access: []access{{Status: 502, Upstream: "502"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{What: "the first server answers", Server: named("first")},
})
