package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var upstreamDefaultPost = add(scenario.Scenario{
	ID:    "upstream-default-post",
	Title: "the same config, a newer nginx: a POST that was 200 is 502, because a FIN was lost",
	Why: `The config of upstream-default, and a back end that closes and whose FINs do not get to nginx. Before 1.29.7 that
is nothing: nginx has closed first, after the answer, and the POST goes out on a new connection. From 1.29.7 on
nginx has kept the connection and believes it open: the POST meets RST, "104: Connection reset by peer", it is not
sent again, and the client gets 502. keepalive_timeout below the back end's own idle timeout takes the risk away;
"keepalive 0" brings the old way back.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive", "https://nginx.org/en/CHANGES", "RFC 9110, 9.2.2"},

	Nginx:   "upstream-default",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("close"), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok")}),
	Play: steps{
		get("/test"), filter(nginx, "input tcp sport 8080 tcp flags & fin == fin drop"),
		tell(backend, "close"), await(backend, nginx, "F."), quiet(), await(backend, nginx, "F."), post("/test", "order"),
	},
	Want: want{
		Ran:    []string{"GET /", "POST /"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "half-closed", ClosedBy: "client"}},
	},
	Since: []scenario.Since{{Version: "1.29.7", Want: want{
		Replies:  []reply{{Status: 200}, {Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R"},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "stale-fin-lost", ClosedBy: "server"}},
	}}},
	Control: control{
		What:  "nginx keeps its connections, whatever its version",
		Nginx: "upstream-60s",
	},
})
