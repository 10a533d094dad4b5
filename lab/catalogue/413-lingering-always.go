package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "413-lingering-always",
	Title: "lingering_close always: the client has its 413, and nginx waits for it to go",
	Why: `The request announces more than client_max_body_size: nginx answers 413 from the head alone, reads the body and
throws it away. By lingering_close always it then sends FIN and goes on reading, whether or not more can be
expected, until the client closes or lingering_timeout has passed, here 1 s: that is when the line in access.log
comes. With always every connection costs nginx that wait at its end.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size", "RFC 9112, 9.6", "RFC 9110, 15.5.14"},

	Client: "raw",
	Nginx:  "lingering-always",
	Takes:  second,
	Play: steps{raw("c", script.Write(postHead(100000)), script.Fill(100000), script.ReadResponse(), script.ReadEnd()),
		logged(`"status":"413"`), raw("c", script.Close())},
	Want: want{
		Replies:  []reply{{Status: 413}, {}},
		ErrorLog: []string{"client intended to send too large body: 100000 bytes"},
		Access:   []access{{Status: 413}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "the body is as large as it may be",
		Play: steps{raw("c", script.Write(postHead(1000)).Filled(1000), script.ReadResponse()), raw("c", script.Close())},
	},
})
