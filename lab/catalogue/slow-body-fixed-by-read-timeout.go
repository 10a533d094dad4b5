package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "slow-body-fixed-by-read-timeout",
	Title: "proxy_read_timeout longer than the pause: the body is whole",
	Why: `The same pause of 2 s under nginx's own 60 s. A body may take hours, as long as no pause in it is longer: a back end
that has nothing to say for long can send a comment or a blank, as event streams do.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout"},

	Fixes:   "slow-body",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), partial(10, "half"), script.Say("half"), script.Wait("rest"), script.Write(", half")}),
	Play:    steps{begin(get("/test")), said(backend, "half"), idle(2 * second), tell(backend, "rest"), finish()},
	Want: want{
		Replies: []reply{{Status: 200, Body: "half, half", Bytes: 10}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire:    []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "."}, {From: backend, To: nginx, Flags: "P."}},
	},
	Control: control{What: "proxy_read_timeout is 1 s", Nginx: "read-timeout-1s"},
})
