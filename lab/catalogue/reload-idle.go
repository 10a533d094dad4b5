package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var ReloadIdle = add(scenario.Scenario{
	ID:    "reload-idle",
	Title: "a reload of nginx closes every idle connection, and a client's next request dies on it",
	Why: `On SIGHUP (nginx -s reload) new workers start and the old ones finish what they are
doing. An idle connection is nothing to finish: it is closed at once, however long
keepalive_timeout still allows it. A client that does not look, here OkHttp without a retry,
sends its next request on it and meets RST: the failure of stale-idle, for all clients at the
same moment, at every deployment. nginx has keepalive_min_timeout against it since 1.27.4.`,
	Refs: []string{"https://nginx.org/en/docs/control.html#reconfiguration",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_min_timeout", "RFC 9112, 9.3.1"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Play:    []scenario.Step{get("/test"), reload(nginx), await(nginx, client, "F."), quiet(), get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Class: "eof", Conn: 1, Text: []string{"unexpected end of stream on Connection{test.foo.com:80"}}},
		Ran:     []string{"GET /"},
		Wire: slices.Concat(
			handshake(client, nginx), exchange(client, nginx),
			staleRequest(client, nginx)),
		Resets:  []scenario.Reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:    []scenario.End{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}},
		Sockets: []scenario.Socket{{Before: 2, Host: nginx, State: "FIN-WAIT-2"}, {Before: 2, Host: client, State: "CLOSE-WAIT"}},
	},
	Control: scenario.Control{What: "nginx is not reloaded",
		Play: []scenario.Step{get("/test"), quiet(), get("/test")}},
})
