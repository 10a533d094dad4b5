package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "lost-last-buffer-fin",
	Title: "the back end closes in the middle of a body: by FIN nginx loses nothing",
	Why: `The same 6000 of 10000 bytes as in lost-last-buffer, but the back end ends by close(), or dies with nothing
unread: FIN. To nginx that is the end of the response, too early, and no error of reading: "upstream prematurely closed
connection while reading upstream". It passes on the buffer that is not full as well, and the client gets all 6000 bytes
before the "unexpected EOF".`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering", "RFC 9112, 8"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), partial(10000, "").Filled(6000), script.Wait("end"), script.Close()}),
	Play:    steps{begin(get("/test")), await(nginx, client, "P."), quiet(), tell(backend, "end"), finish()},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Bytes: 6000}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "truncated"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What:   "the back end resets",
		Server: serve(ops{script.ReadRequest(), partial(10000, "").Filled(6000), script.Wait("end"), script.Reset()}),
	},
})
