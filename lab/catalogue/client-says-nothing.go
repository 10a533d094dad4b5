package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "client-says-nothing",
	Title: "a client connects and says nothing: nginx closes after client_header_timeout, without a line in access.log",
	Why: `A connection on which nothing has come yet has no request, so there is nothing to answer and nothing to log: after
client_header_timeout, 60 s by default and here 1 s, nginx closes it, FIN, and only error.log at info says "client
timed out (110: Connection timed out) while waiting for request". keepalive_timeout has no part in it before the
first answer. Connections that are opened ahead of their requests, by a browser or a pool, end like this.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_timeout"},

	Client: "raw",
	Nginx:  "client-timeouts-1s",
	Takes:  second,
	Play:   steps{raw("c", script.ReadEnd(), script.Close())},
	Want: want{
		Info:    []string{"client timed out (110: Connection timed out) while waiting for request"},
		Replies: []reply{{}},
		Wire:    []segment{{From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "it asks for something",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
