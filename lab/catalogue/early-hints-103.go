package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "early-hints-103",
	Title: "the back end sends 103 Early Hints: older nginx takes it for the answer, newer nginx drops it",
	Why: `Before 1.29.0 nginx knows no interim response of a back end: 103 is the status, as in continue-100, and what follows is
its body, to the end of the connection. It hands on "HTTP/1.1 103 Early Hints" with the head and the body of the real
200 glued behind it; a client that knows interim responses finds the 200 there, by luck. From 1.29.0 on nginx reads
past a 103 to the 200 behind it, and passes hints on only where early_hints says so. access.log says 200 then; but
$upstream_status stays what came first: 103.`,
	Refs: []string{"RFC 8297, 2", "RFC 9110, 15.2", "https://nginx.org/en/docs/http/ngx_http_core_module.html#early_hints"},

	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"),
		script.Answer(200, "ok"), script.Close()}),
	Play: steps{get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "ok"}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 103, Upstream: "103"}},
		Wire:    slices.Concat(handshake(nginx, backend), []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "F."}}),
	},
	Since: []scenario.Since{{Version: "1.29.0", Want: want{
		Replies: []reply{{Status: 200, Body: "ok"}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "103"}},
	}}},
	Control: control{
		What:   "the back end sends no hints",
		Server: serve(ops{script.ReadRequest(), script.Answer(200, "ok"), script.Close()}),
	},
})
