package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "stream-half-close-fixed-by-proxy-half-close",
	Title: "proxy_half_close on: one side has ended, the other goes on",
	Why: `With proxy_half_close on stream {} passes the back end's FIN on to the client and goes on reading the client: each
direction ends for itself. All that the client still sends gets to the back end, and the session is over when both
have closed.`,
	Refs: []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_half_close", "RFC 9293, 3.6"},

	Fixes:   streamHalfClose.ID,
	Client:  "raw",
	Nginx:   "stream-half-close",
	Backend: "scripted",
	Server:  streamHalfClose.Server,
	Play:    streamHalfClose.Play,
	Want: want{
		Replies: []reply{{}, {}},
		Access:  []access{{Status: 200}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "P."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "P."},
			{From: nginx, To: backend, Flags: "F."},
		},
		Ends: []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "server"}},
	},
	Control: control{What: "the first FIN ends the session", Nginx: streamHalfClose.Nginx},
})
