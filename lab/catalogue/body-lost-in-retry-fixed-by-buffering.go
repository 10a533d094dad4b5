package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "body-lost-in-retry-fixed-by-buffering",
	Title: "proxy_request_buffering on: the POST goes to the back end a second time, body and all",
	Why: `nginx has read the whole body before it called the back end, so it can send it again: the second try goes
over a new connection, "502, 200" in $upstream_status, and the client gets 200. The work runs once, because the first
try was not read to its end; that nginx could not know (retry-runs-twice).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_request_buffering",
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Fixes:   "body-lost-in-retry",
	Client:  "raw",
	Nginx:   "retry-non-idempotent",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadHead(), script.Say("head"), script.Read(5), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{
		raw("a", script.Write(getTest), script.ReadResponse()), quiet(),
		begin(raw("a", script.Write(postHead(10)+"half"), script.Wait("rest"), script.Write(", half"), script.ReadResponse())),
		quiet(), tell(client, "rest"), finish(),
	},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}},
		Ran:      []string{"GET /", "POST /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "502, 200"}},
		Wire: slices.Concat(exchange(nginx, backend), []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}},
			handshake(nginx, backend), exchange(nginx, backend)),
		Resets: []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What: "nginx does not keep the body", Nginx: "retry-non-idempotent-unbuffered",
		Play: steps{
			raw("a", script.Write(getTest), script.ReadResponse()), quiet(),
			begin(raw("a", script.Write(postHead(10)+"half"), script.Wait("rest"), script.Write(", half"), script.ReadResponse())),
			said(backend, "head"), tell(client, "rest"), finish(),
		},
	},
})
