package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "long-body",
	Title: "a body longer than its Content-Length: the rest is cut off, and only a [warn] tells",
	Why: `The back end announces 4 bytes and sends 10. nginx passes on the 4 that were announced, and the client has a
whole, valid response: half of what was meant. The rest would be the beginning of the next response, so nginx does
not keep this connection but closes it. The line "upstream sent more data than specified in "Content-Length" header"
is a [warn]: at the default level of error_log nobody ever reads it.`,
	Refs:  []string{"RFC 9112, 6.3", "https://nginx.org/en/docs/ngx_core_module.html#error_log"},
	Looks: scenario.SymptomLost,

	Backend: "scripted",
	Server: serve(ops{script.ReadRequest(), partial(4, "half, half"),
		script.ReadEnd(), script.Close()}),
	Play: steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200, Body: "half", Bytes: 4}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{`upstream sent more data than specified in "Content-Length" header while reading upstream`},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "F."}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{
		What: "Content-Length is right",
		Server: serve(ops{script.ReadRequest(), partial(10, "half, half"),
			script.ReadEnd(), script.Close()}),
	},
})
