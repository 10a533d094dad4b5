package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "worker-connections-reused",
	Title: "a worker is short of connections: it closes idle clients before their keepalive_timeout",
	Why: `worker_connections, here 8, leaves six for clients and back ends. Kept clients that are idle count as well, but they
are not worth a refusal: when no connection is free, nginx closes the one that has been idle for longest, FIN, and says
"8 worker_connections are not enough, reusing connections", [warn], which the usual level of error.log hides. Its client
was promised 75 s by keepalive_timeout; if it does not look, its next request meets RST, as in stale-idle.`,
	Refs: []string{"https://nginx.org/en/docs/ngx_core_module.html#worker_connections", "ngx_drain_connections, src/core/ngx_connection.c"},

	Client: "raw",
	Nginx:  "eight-connections",
	Play: steps{raw("c1", script.Write(getTest), script.ReadResponse()), raw("c2", script.Write(getTest), script.ReadResponse()),
		raw("c3", script.Write(getTest), script.ReadResponse()), raw("c4", script.Write(getTest), script.ReadResponse()),
		raw("c5", script.Write(getTest), script.ReadResponse()), raw("c6", script.Write(getTest), script.ReadResponse()),
		raw("c1", script.ReadEnd(), script.Close())},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}, {Status: 200, Conn: 3}, {Status: 200, Conn: 4}, {Status: 200, Conn: 5}, {Status: 200, Conn: 6}, {Conn: 1}},
		ErrorLog: []string{"8 worker_connections are not enough, reusing connections"},
		Wire:     []segment{{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What:  "there are 512",
		Nginx: "baseline",
		Play:  steps{raw("c1", script.Write(getTest), script.ReadResponse())},
	},
})
