package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "slow-header",
	Title: "an answer that comes later than proxy_read_timeout: 504, and the back end works for nobody",
	Why: `The back end takes 2 s for its answer, nginx waits for proxy_read_timeout, here 1 s. "upstream timed out (110:
Connection timed out) while reading response header from upstream", 504, and FIN to the back end, which does not look
at its socket while it works. When it writes its answer, nobody is there: nginx's kernel sends RST, the back end's next
read or write gets ECONNRESET or EPIPE. The work is done all the same, and a client that asks again has it done again.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout", "RFC 9110, 15.6.5", "RFC 9293, 3.10.7.1"},

	Nginx:   "read-timeout-1s",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "ok")}),
	Play:    steps{begin(get("/test")), said(backend, "working"), idle(2 * second), tell(backend, "done"), finish()},
	Want: want{
		Replies:  []reply{{Status: 504}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while reading response header from upstream"},
		Access:   []access{{Status: 504, Upstream: "504"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R"}},
		Resets:   []reset{{From: nginx, To: backend, Kind: "to-data-after-close"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"}},
	},
	Control: control{What: "proxy_read_timeout stays at 60 s", Nginx: "baseline"},
})
