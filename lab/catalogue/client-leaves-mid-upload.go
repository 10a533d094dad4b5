package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "client-leaves-mid-upload",
	Title: "a client leaves in the middle of its upload: 400 in access.log, and nobody was sent one",
	Why: `nginx reads the whole body before it asks the back end (proxy_request_buffering on). The client closes before it has
sent all that Content-Length announced: "client prematurely closed connection" at info, 400 in access.log, which nobody
is sent, and not 499, for no back end was being waited for. The back end never hears of the request.`,
	Refs:  []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_request_buffering", "RFC 9112, 8"},
	Looks: "400",

	Client:  "raw",
	Backend: "scripted",
	Server:  &script.Server{},
	Play:    steps{raw("c", script.Write(postHead(100)).Filled(10)), quiet(), raw("c", script.Close())},
	Want: want{
		Replies: []reply{{}, {}},
		Ran:     []string{},
		Info:    []string{"client prematurely closed connection"},
		Access:  []access{{Status: 400}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: client, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "abandoned", ClosedBy: "client"}},
	},
	Control: control{
		What: "the body is whole",
		Play: steps{raw("c", script.Write(postHead(10)).Filled(10), script.ReadResponse()), quiet(), raw("c", script.Close())},
	},
})
