package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var keepaliveHint = add(scenario.Scenario{
	ID:    "keepalive-hint",
	Title: "nginx tells its timeout, \"Keep-Alive: timeout=1\", and OkHttp does not listen",
	Why: `keepalive_timeout takes a second time: nginx puts it into the header Keep-Alive of each response, so that a client
can drop its idle connections in time. The header was never standard, and no one has to obey it. OkHttp and Go's
net/http do not read it: their pools go by a time of their own. So OkHttp sends its next request on a connection that
nginx has closed, and meets RST, as in stale-idle. What helps is to set the client's own time
(keepalive-hint-fixed-by-pool). A client that does obey must also leave some time to spare: the same second on both sides
is a race (equal-timeouts).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#keepalive_timeout", "RFC 2068, 19.7.1.1", "draft-thomson-hybi-http-timeout"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Nginx:   "keepalive-hint",
	Takes:   second,
	Play:    steps{get("/test"), await(nginx, client, "F."), quiet(), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Class: "eof", Text: []string{"unexpected end of stream"}, Conn: 1}},
		Ran:     []string{"GET /"},
		Wire:    slices.Concat(exchange(client, nginx), staleRequest(client, nginx)),
		Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}},
		Sockets: []socket{{Before: 2, Host: nginx, State: "FIN-WAIT-2"}, {Before: 2, Host: client, State: "CLOSE-WAIT"}},
	},
	Control: control{
		What:  "keepalive_timeout stays at 75 s",
		Nginx: "baseline",
		Play:  steps{get("/test"), quiet(), get("/test")},
	},
})
