package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-flow-forgotten-reject-post-fixed-by-shorter-timeout",
	Title: "nginx gives an idle connection up before the firewall forgets it: the POST goes out on a new one",
	Why: `keepalive_timeout in the upstream is 1 s, less than the 2 s after which the firewall forgets. nginx closes the idle
connection while the flow is still known: its FIN passes, and so does the back end's, and no side is left with half a
connection. The POST opens a new one, whose SYN the firewall takes for what it is. To keep the old connection known
by probes is the other way (upstream-flow-forgotten-fixed-by-socket-keepalive).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout", "RFC 5382, 5 (REQ-5)"},

	Fixes:   upstreamFlowForgottenRejectPost.ID,
	Nginx:   "upstream-1s",
	Backend: "scripted",
	Compose: "flows-2s",
	Play:    upstreamFlowForgottenRejectPost.Play,
	Want: want{
		Ran:    []string{"GET /", "POST /"},
		Access: []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."},
		},
		Ends: []end{{Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "open"}},
	},
	Control: control{What: "nginx keeps the connection for its own 60 s", Nginx: upstreamFlowForgottenRejectPost.Nginx},
})
