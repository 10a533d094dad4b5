package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "backend-killed-answering",
	Title: "the back end dies while it works on a request: FIN in place of an answer, and nginx says 502",
	Why: `The back end has read the whole request and works on it. Then its process is killed. Nothing is unread in
its socket, so its kernel closes the connection in order, with FIN and without RST. nginx waits for the
response's head and reads the end of the connection in its place: "upstream prematurely closed connection".
Nobody but the back end can know how far the work had come.`,
	Refs: []string{"RFC 9293, 3.10.4 (CLOSE)", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("never")}),
	Play:    steps{begin(get("/test")), said(backend, "working"), kill(backend)},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{
		What:   "the back end is left alone, and answers",
		Play:   steps{get("/test")},
		Server: &script.Server{},
	},
})
