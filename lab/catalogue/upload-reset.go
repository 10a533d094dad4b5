package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upload-reset",
	Title: "proxy_request_buffering off: the back end resets in the middle of an upload",
	Why: `nginx passes the body on as it comes. The back end reads its beginning and throws the connection away with RST:
its process was killed with data unread, a limit was reached. nginx is waiting for more of the body from the client, and
learns of the RST by "recv() failed (104: Connection reset by peer) while reading response header from upstream": it
answers 502 while the client is still sending. Had it been about to write, the words would be "writev() failed (104...)
while sending request to upstream" (early-413).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_request_buffering",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close"},

	Client:  "raw",
	Nginx:   "request-buffering-off",
	Backend: "scripted",
	Server:  serve(ops{script.ReadHead(), script.Read(1), script.Reset()}),
	Play:    steps{raw("upload", script.Write(postHead(2000)).Filled(1000), script.ReadResponse(), script.ReadEnd(), script.Close())},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}, {From: nginx, To: client, Flags: "P."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What:   "the back end answers",
		Server: serve(ops{script.ReadHead(), script.Read(1), script.Answer(200, "ok")}),
	},
})
