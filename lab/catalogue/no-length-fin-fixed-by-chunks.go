package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "no-length-fin-fixed-by-chunks",
	Title: "the same body in chunks: the crash is no end of the body any more, and everybody can tell",
	Why: `A back end that does not know the length beforehand sends chunks, and ends them with one of length 0. It dies after
the first: its kernel sends the same FIN, but the last chunk has not come, so nginx knows that the body is not whole.
It logs "upstream prematurely closed connection while reading upstream" and closes the client's connection without a last
chunk of its own: "unexpected EOF". The half is lost as before; that it is a half is not. A Content-Length does the
same where the length is known.`,
	Refs: []string{"RFC 9112, 7.1 and 8", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version"},

	Fixes:   noLengthFIN.ID,
	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
		script.Say("half"), script.Wait("never")}),
	Play: noLengthFIN.Play,
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Body: "half", Bytes: 4}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "truncated", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{What: "the body has neither length nor chunks", Server: noLengthFIN.Server},
})
