package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "413-lingering-on",
	Title: "nginx says 413 to a large body, reads it to its end, and logs the request only when the client has gone",
	Why: `The request announces more than client_max_body_size: nginx answers 413 from the head alone. Would it close now,
the body that still comes would be answered with RST, and the RST could overtake the answer (RFC 9112, 9.6). So it
reads the body and throws it away, sends FIN, and by lingering_close on goes on reading until the client closes or
lingering_timeout has passed, here 1 s. Only then is the request over: its line in access.log is that late, with a
request_time to match, though the answer came after a millisecond.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size", "RFC 9112, 9.6", "RFC 9110, 15.5.14"},

	Client: "raw",
	Nginx:  "lingering-on",
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
