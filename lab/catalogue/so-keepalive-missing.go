package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "so-keepalive-missing",
	Title: "a client's host vanishes while its connection is idle: nginx keeps the connection, and does not know",
	Why: `A host that loses its power or its network says nothing, and over an idle connection nothing is sent, so nothing fails.
nginx keeps its end, a socket in ESTABLISHED and a slot of worker_connections, until keepalive_timeout, 75 s; where a
response or an upgraded connection is under way, for longer. TCP would probe it by SO_KEEPALIVE, but nginx does not ask
for that by itself (listen ... so_keepalive), and Linux would begin after two hours.`,
	Refs: []string{"RFC 9293, 3.8.4", "https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "tcp(7), tcp_keepalive_time"},

	Client: "raw",
	Play: steps{raw("c", script.Write(getTest), script.ReadResponse()), quiet(),
		filter(client, "input ip saddr {nginx} drop"), filter(client, "output ip daddr {nginx} drop"), idle(5 * second)},
	Want: want{
		Sockets: []socket{{Before: 0, Host: nginx, State: "ESTAB"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "open"}},
	},
	Control: control{What: "nginx has the client probed", Nginx: "so-keepalive"},
})
