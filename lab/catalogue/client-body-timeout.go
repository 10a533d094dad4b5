package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "client-body-timeout",
	Title: "a client sends half a body and stops: 408 in access.log, nothing in error.log, and not a byte for the client",
	Why: `nginx reads the whole body before it asks the back end (proxy_request_buffering on). Between two reads it waits for
client_body_timeout, 60 s by default and here 1 s. Then it closes: FIN. 408 stands in access.log and nowhere else:
error.log has no line of it even at info, and no 408 is sent. The back end never hears of the request.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#client_body_timeout", "RFC 9110, 15.5.9"},

	Client:  "raw",
	Nginx:   "client-timeouts-1s",
	Backend: "scripted",
	Server:  &script.Server{},
	Takes:   second,
	Play:    steps{raw("c", script.Write(postHead(100)).Filled(10), script.ReadResponse(), script.Close())},
	Want: want{
		Replies: []reply{{Class: "eof"}},
		Ran:     []string{},
		Access:  []access{{Status: 408}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "the body is whole",
		Play: steps{raw("c", script.Write(postHead(100)).Filled(100), script.ReadResponse(), script.Close())},
	},
})
