package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "limit-conn",
	Title: "limit_conn: the second request at the same time gets 503 from nginx itself, and keeps its connection",
	Why: `limit_conn 1 lets an address have one request under way at a time. While the back end works on the first, a second one
on another connection is refused: 503, "limiting connections by zone" in error.log, no upstream in access.log, for the
back end was not asked. It is no failure of TCP: the connection stays, and so does the first request's.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html", "RFC 9110, 15.6.4"},

	Client:  "raw",
	Nginx:   "limit-conn",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "done\n")}),
	Play: steps{begin(raw("c1", script.Write(getTest), script.ReadResponse())), said(backend, "working"),
		raw("c2", script.Write(getTest), script.ReadResponse()), tell(backend, "done")},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 503, Conn: 2}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"limiting connections by zone \"clients\""},
		Access:   []access{{Status: 503}, {Status: 200, Upstream: "200"}},
	},
	Control: control{
		What:   "one after the other",
		Server: &script.Server{},
		Play:   steps{raw("c1", script.Write(getTest), script.ReadResponse()), raw("c2", script.Write(getTest), script.ReadResponse())},
	},
})
