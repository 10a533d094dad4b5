package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tls-on-plain-port",
	Title: "proxy_pass http:// to a port that speaks TLS: 502",
	Why: `The back end waits for a ClientHello and reads "GET /" where the head of a TLS record should be: "first record
does not look like a TLS handshake". It closes, and nginx, which knows nothing of TLS here, gets FIN in place of an
answer: "upstream prematurely closed connection". Other servers say it otherwise: OpenSSL leaves the request unread, so
there is RST and 104; nginx and Go's net/http answer 400 in plain text, and the client gets that; a TLS alert comes out
at the client as it is, with status 009 (garbage-status-line).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass", "RFC 8446, 5.1"},

	Backend: "scripted",
	Server:  serve(ops{script.TLS(), script.ReadRequest(), script.Answer(200, "ok")}),
	Play:    steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{What: "nginx speaks TLS too", Nginx: "https-upstream"},
})
