package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "413-lingering-off",
	Title: "lingering_close off does not cost the client the 413 of nginx's own",
	Why: `The request announces more than client_max_body_size: nginx answers 413 from the head alone. That it discards
the body of a request that it has answered by itself has nothing to do with lingering_close: it reads as many bytes
as were announced, throws them away, and closes: FIN, no RST, and the line in access.log at once. What
lingering_close off takes away is the reading after that, which this client does not need.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size", "RFC 9112, 9.6", "RFC 9110, 15.5.14"},

	Client: "raw",
	Nginx:  "lingering-off",
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
