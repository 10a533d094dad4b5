package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var BackendKilledIdle = add(scenario.Scenario{
	ID:    "backend-killed-idle",
	Title: "the back end is killed while nginx holds an idle connection to it",
	Why: `With proxy_set_header Connection "" nginx really keeps the connection to the back end.
When the process is killed its kernel closes the socket: FIN. nginx watches its idle
connections, sees the FIN at once and closes its side, so the dead connection hurts nobody:
the next request connects anew and is refused, as if nothing had been kept. On 1.26 the
article's own config keeps no connection at all (see backend-process-killed).`,
	Refs: []string{"RFC 9293, 3.6", "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive"},

	Article: 4,
	Nginx:   "article-keepalive",
	Play:    []scenario.Step{get("/test"), quiet(), kill(backend), get("/test")},
	Want: scenario.Want{
		Replies:  []scenario.Reply{{Status: 200, Conn: 1}, {Status: 502, Conn: 1}},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"},
		Access:   []scenario.Access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: slices.Concat(handshake(nginx, backend), []scenario.Segment{
			{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "."},
			{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "R."},
		}),
		Resets: []scenario.Reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "refused"},
		},
	},
	Control: scenario.Control{What: "the back end is left alive",
		Play: []scenario.Step{get("/test"), get("/test")}},
})
