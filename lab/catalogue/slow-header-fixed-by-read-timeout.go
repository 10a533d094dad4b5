package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "slow-header-fixed-by-read-timeout",
	Title: "proxy_read_timeout longer than the answer takes: 200",
	Why: `The same 2 s of work under nginx's own 60 s: the answer comes, and the connection is kept. It must be longer than the
slowest answer, and shorter than the patience of whoever stands in front of nginx, or the 504 is said there.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout"},

	Fixes:   "slow-header",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "ok")}),
	Play:    steps{begin(get("/test")), said(backend, "working"), idle(2 * second), tell(backend, "done"), finish()},
	Want: want{
		Replies: []reply{{Status: 200, Body: "ok"}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire:    []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "."}, {From: backend, To: nginx, Flags: "P."}},
	},
	Control: control{What: "proxy_read_timeout is 1 s", Nginx: "read-timeout-1s"},
})
