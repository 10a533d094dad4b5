package catalogue

import "rstlab/lab/scenario"

var Node5s = add(scenario.Scenario{
	ID:    "node-5s",
	Title: "Node closes an idle connection long before nginx would; nginx looks, and nothing fails",
	Why: `Node's own keepAliveTimeout is 5 s (it says so, "Keep-Alive: timeout=5", and waits one
second more), nginx keeps an idle connection to its upstream for 60 s: so the back end is the
one that closes. nginx watches its idle connections, sees the FIN
at once and closes too, and the next request opens a new one: no failure, as long as the FIN
gets through before the request leaves. In the moment in which both pass each other a POST is
lost. Let the side that sends requests be the one that closes: keepalive_timeout 4s in the
upstream, as baseline.conf has it.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout", "RFC 9112, 9.3.1"},

	Nginx: "article-keepalive",
	Play:  []scenario.Step{get("/test"), await(backend, nginx, "F."), quiet(), get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 1}},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "open"},
			{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "open"},
		},
	},
	Control: scenario.Control{What: "nginx gives its idle connection up after 4 s", Nginx: "baseline",
		Play: []scenario.Step{get("/test"), await(nginx, backend, "F."), quiet(), get("/test")}},
})
