package catalogue

import "rstlab/lab/scenario"

var BackendRestarted = add(scenario.Scenario{
	ID:    "backend-restarted",
	Title: "while the back end restarts there are 502s; with its first SYN-ACK they end",
	Why: `Between the old process and the new one nobody listens on the port, and every request
in that time is a 502: the host's kernel answers nginx's SYN with RST. nginx keeps no grudge:
with a single server in the upstream it never marks it as down (max_fails does not count
then), so the first request after the restart is served. Each 502 is a request that arrived
in the gap, no more.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_fails"},

	Nginx: "article",
	Play:  []scenario.Step{get("/test"), quiet(), kill(backend), get("/test"), start(backend), get("/test")},
	Want:  restarted(end{Cause: "closed"}, end{Cause: "closed"}),
	// It keeps its connections to the back end by itself.
	Since: []scenario.Since{{Version: "1.29.7", Want: restarted(end{Cause: "closed", ClosedBy: "server"}, end{Cause: "open"})}},
	Control: scenario.Control{What: "the back end is not started again",
		Play: []scenario.Step{get("/test"), quiet(), kill(backend), get("/test"), get("/test")}},
})

// restarted is what must be seen where nginx's connections to the old process and
// to the new one end so.
func restarted(before, after end) scenario.Want {
	for _, e := range []*end{&before, &after} {
		e.Client, e.Server = nginx, backend
	}
	return scenario.Want{
		Replies:  []scenario.Reply{{Status: 200, Conn: 1}, {Status: 502, Conn: 1}, {Status: 200, Conn: 1}},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"},
		Access:   []scenario.Access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}, {Status: 200, Upstream: "200"}},
		Resets:   []scenario.Reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			before,
			{Client: nginx, Server: backend, Cause: "refused"},
			after,
		},
	}
}
