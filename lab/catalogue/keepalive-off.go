package catalogue

import "rstlab/lab/scenario"

var KeepaliveOff = add(scenario.Scenario{
	ID:    "keepalive-off",
	Title: "without keep-alive there is no connection that could be stale",
	Why: `keepalive_timeout 0: nginx says "Connection: close" in every answer and closes behind it.
The client takes a new connection for each request, so nothing can die between two of them.
It is the blunt fix: each request now pays for a handshake (and TLS for its own), and the
client's ports and nginx's TIME_WAIT sockets pay too.`,
	Refs: []string{"RFC 9112, 9.6", "https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout"},

	Fixes:   "stale-idle",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Nginx:   "keepalive-off",
	Play:    []scenario.Step{get("/test"), idle(6 * second), get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "closed"},
			{Client: client, Server: nginx, Cause: "closed"},
		},
	},
	Control: scenario.Control{What: "keepalive_timeout is 5 s", Nginx: "keepalive-5s"},
})
