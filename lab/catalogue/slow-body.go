package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "slow-body",
	Title: "a pause inside a body longer than proxy_read_timeout: 200, and a body that breaks off",
	Why: `The head comes at once, then the back end pauses for 2 s inside the body. proxy_read_timeout is no limit on the
whole response but on the pause between two reads, here 1 s: "upstream timed out (110: Connection timed out) while
reading upstream". The status is taken long ago: access.log says 200, and the client's connection is closed inside the
body. What nginx had read and not passed on, a buffer that is not full, is dropped as in lost-last-buffer.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout", "RFC 9112, 8"},

	Nginx:   "read-timeout-1s",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), partial(10, "half"), script.Say("half"), script.Wait("rest"), script.Write(", half")}),
	Play:    steps{begin(get("/test")), said(backend, "half"), idle(2 * second), tell(backend, "rest"), finish()},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Bytes: -1}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R"}},
		Resets:   []reset{{From: nginx, To: backend, Kind: "to-data-after-close"}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{What: "proxy_read_timeout stays at 60 s", Nginx: "baseline"},
})
