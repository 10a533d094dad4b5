package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var noLengthFIN = add(scenario.Scenario{
	ID:    "no-length-fin",
	Title: "a response without a length, cut by a crash: 200, nothing in any log, half a body for everybody",
	Why: `Without Content-Length and without chunks the end of the connection is the end of the body, and a FIN has no
way to say whether it came on purpose. The back end dies in the middle of such a body; its kernel sends FIN; nginx
takes it for the end, ends its own chunked response to the client with a correct last chunk, and may cache it. No
error line, 200, a valid response: the one death of a back end that leaves no trace at all.`,
	Refs:  []string{"RFC 9112, 6.3 and 8", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version"},
	Looks: scenario.SymptomLost,

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\n\r\nhalf"), script.Say("half"), script.Wait("never")}),
	Play:    steps{begin(get("/test")), said(backend, "half"), kill(backend)},
	Want: want{
		Replies: []reply{{Status: 200, Body: "half", Bytes: 4}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire:    []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "P."}},
	},
	Control: control{
		What:   "the response has a Content-Length, so everybody can tell",
		Server: serve(ops{script.ReadRequest(), partial(10, "half"), script.Say("half"), script.Wait("never")}),
	},
})
