package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "two-content-lengths",
	Title: "Content-Length twice in the response: 200 with an old nginx, 502 with a new one",
	Why: `The application sets Content-Length, and a filter in front of it sets it again. RFC 9110 lets a recipient take
equal values as one or refuse them. nginx before 1.23 took the last; since then it refuses, whether they are equal or
not: "upstream sent duplicate header line", 502. So an upgrade of nginx alone turns a back end that has always worked
into one that answers 502 to everything.`,
	Refs: []string{"RFC 9110, 8.6", "ngx_http_upstream_process_content_length, src/http/ngx_http_upstream.c"},

	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok"),
		script.ReadEnd(), script.Close()}),
	Play: steps{get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "ok"}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "200"}},
	},
	Since: []scenario.Since{{Version: "1.23.0", Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{`upstream sent duplicate header line: "Content-Length: 2", previous value: "Content-Length: 2" while reading`},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "F."}},
	}}},
	Control: control{
		What:   "Content-Length stands there once",
		Server: serve(ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadEnd(), script.Close()}),
	},
})
