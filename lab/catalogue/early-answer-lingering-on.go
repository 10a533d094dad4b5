package catalogue

import (
	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "early-answer-lingering-on",
	Title: "lingering_close on: an answer that comes before the upload is over reaches its client",
	Why: `The client uploads 300 kB, the back end answers 413 after the head, as in early-answer-lingering-off. nginx passes
the answer on and sends FIN, but by lingering_close on, its default, it goes on reading what the client still sends
and throws it away, up to lingering_time, 30 s. The client writes to the end, reads the answer, then the end, and
closes: no RST.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close",
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_request_buffering", "RFC 9112, 9.6", "RFC 2525, 2.17"},

	Fixes:   "early-answer-lingering-off",
	Client:  "raw",
	Nginx:   "lingering-on-large",
	Backend: "scripted",
	Server:  answersEarly,
	Play:    answeredEarly,
	Want: want{
		Replies: []reply{{Status: 413}},
		Access:  []access{{Status: 413, Upstream: "413"}},
		Wire: []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What:  "lingering_close is off",
		Nginx: "lingering-off-large",
	},
})
