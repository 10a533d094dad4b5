package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var BackendProcessKilled = add(scenario.Scenario{
	ID:    "backend-process-killed",
	Title: "nginx answers 502 when the back end's process has been killed",
	Why: `The article's config keeps no connection to the back end on nginx before 1.29.7:
keepalive 16 alone does not, for nginx sends "Connection: close" unless told otherwise. So
each request connects anew. The process is gone, its host is not: the host's kernel answers
nginx's SYN with RST, connect() fails with 111 (Connection refused), nginx has no other
server to try and answers 502. The client's own connection to nginx is unharmed.`,
	Refs: []string{"RFC 9293, 3.10.7.1", "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive"},

	Article: 3,
	Nginx:   "article",
	Play:    []scenario.Step{get("/test"), quiet(), kill(backend), get("/test")},
	Want: scenario.Want{
		Replies:  []scenario.Reply{{Status: 200, Conn: 1}, {Status: 502, Conn: 1}},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"},
		Access:   []scenario.Access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: slices.Concat(handshake(client, nginx), handshake(nginx, backend),
			[]scenario.Segment{{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "R."}}),
		Resets: []scenario.Reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			{Client: nginx, Server: backend, Cause: "closed"},
			{Client: nginx, Server: backend, Cause: "refused"},
		},
	},
	Control: scenario.Control{What: "the back end is left alive",
		Play: []scenario.Step{get("/test"), get("/test")}},
})
