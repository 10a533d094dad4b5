package catalogue

import (
	"strings"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "header-too-big",
	Title: "a head that does not fit in proxy_buffer_size: 502, upstream sent too big header",
	Why: `The head of a response, every Set-Cookie of it, must fit in one buffer, proxy_buffer_size, 4 kB by default.
The back end's has 6 kB: nginx reads 4 of them, finds no end of the head, logs "upstream sent too big header while
reading response header from upstream" and answers 502. It closes with the rest unread, so its kernel sends RST; the
back end believes that it answered well and sees a client that resets.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size", "RFC 9110, 5.4", "RFC 2525, 2.17"},

	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(),
		script.Write("HTTP/1.1 200 OK\r\nX-Big: " + strings.Repeat("x", 6000) + "\r\nContent-Length: 2\r\n\r\nok")}),
	Play: steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream sent too big header while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R."}, {From: nginx, To: client, Flags: "P."}},
		Resets:   []reset{{From: nginx, To: backend, Kind: "abort"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What:   "the head is small",
		Server: &script.Server{},
	},
})
