package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "reload-never-asked",
	Title: "a connection that has not asked for anything yet is left alone by a reload, and is answered after it",
	Why: `A reload closes connections that are idle, and nginx calls idle what has had its answer and waits for the next
request (keepalive). A connection that was made in advance, as browsers and some pools do, waits for its first request:
client_header_timeout runs on it, and the old worker keeps it. Its first request is answered by the old worker, 200 with
Connection: close. A connection that has been used is closed at once (reload-idle).`,
	Refs: []string{"https://nginx.org/en/docs/control.html#reconfiguration", "https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_timeout", "ngx_close_idle_connections, src/core/ngx_connection.c"},

	Client: "raw",
	Play: steps{raw("new"), raw("used", script.Write(getTest), script.ReadResponse()), // accepted behind it
		reload(nginx), raw("used", script.ReadEnd(), script.Close()), quiet(),
		raw("new", script.Write(getTest), script.ReadResponse(), script.ReadEnd(), script.Close())},
	Want: want{
		Replies: []reply{{Conn: 1}, {Status: 200, Conn: 2}, {Conn: 2}, {Status: 200, Conn: 1}},
		Ran:     []string{"GET /", "GET /"},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"},
		},
	},
	Control: control{
		What: "nginx is not reloaded, and the client closes",
		Play: steps{raw("new"), raw("used", script.Write(getTest), script.ReadResponse()), raw("used", script.Close()), quiet(),
			raw("new", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
