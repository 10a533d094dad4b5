package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-answers-502",
	Title: "a 502 that is not nginx's: the back end, itself a proxy, says it",
	Why: `Behind nginx stands another proxy, and its own back end is gone: it answers 502, whole and in order. nginx
passes the answer on: status 502, $upstream_status 502, the same as for its own. Three things tell them apart: there is
no line in error.log, the body is the other's, and the connection to it lives on.`,
	Refs: []string{"RFC 9110, 15.6.3", "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#var_upstream_status"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Answer(502, "bad gateway, says the second proxy"), script.Again()}),
	Play:    steps{get("/test"), get("/test")},
	Want: want{
		Replies: []reply{{Status: 502, Body: "says the second proxy", Conn: 1}, {Status: 502, Body: "says the second proxy", Conn: 1}},
		Ran:     []string{"GET /", "GET /"},
		Access:  []access{{Status: 502, Upstream: "502"}, {Status: 502, Upstream: "502"}},
	},
	Control: control{
		What:   "the back end closes without an answer, and the 502 is nginx's own",
		Server: serve(ops{script.ReadRequest(), script.Close()}),
	},
})
