package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "continue-100",
	Title: "the back end sends 100 Continue unasked: nginx takes it for the answer, and the real one for its body",
	Why: `nginx answers Expect: 100-continue itself and never asks a back end for it, so it knows no interim response:
100 is the status, what follows is the body, to the end of the connection. It hands on "HTTP/1.1 100 Continue" with
the head and the body of the real 200 glued behind it. A client that knows interim responses skips the 100, finds the
200 and never notices; access.log says 100. A back end that keeps its connection open after it makes nginx wait for
more until proxy_read_timeout.`,
	Refs: []string{"RFC 9110, 15.2.1 and 10.1.1", "RFC 9110, 15.2 (a proxy MUST forward 1xx)"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 100 Continue\r\n\r\n"), script.Answer(200, "ok"), script.Close()}),
	Play:    steps{get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "ok"}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 100, Upstream: "100"}},
	},
	Control: control{
		What:   "the back end sends no 100",
		Server: serve(ops{script.ReadRequest(), script.Answer(200, "ok"), script.Close()}),
	},
})
