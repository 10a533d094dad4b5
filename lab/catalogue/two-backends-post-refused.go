package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "two-backends-post-refused",
	Title: "a POST that one back end refuses to connect for is passed to the other, and runs once",
	Why: `nginx must not run a POST twice, and by itself passes none to a second server that it has sent to a first. But
the first server is dead and refuses the connection: nothing has been sent. nginx buffers the whole body before it
connects (proxy_request_buffering), so it still has it and can send it to the second: 200, "502, 200", one run.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9110, 9.2.2"},

	Compose: "two-backends",
	Nginx:   "two-backends",
	Backend: "scripted",
	Server:  named("first"),
	Second:  named("second"),
	Play:    steps{kill(backend), post("/test", "order 1")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "second"}},
		Ran:     []string{"POST /"},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream",
			"upstream server temporarily disabled while connecting to upstream"},
		Access: []access{{Status: 200, Upstream: "502, 200"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "refused"}},
	},
	Control: control{What: "the back end is left alone", Play: steps{post("/test", "order 1")}},
})
