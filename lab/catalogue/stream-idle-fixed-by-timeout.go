package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "stream-idle-fixed-by-timeout",
	Title: "proxy_timeout longer than the client's pool keeps an idle connection: the next query is answered",
	Why: `proxy_timeout is nginx's own 10 minutes, more than the 2 s for which the client says nothing: the session is still
there, and the query passes. It must be longer than the longest time for which the client keeps an idle connection and
means to use it again, or the pool must close it first: who sends the requests should be the one who closes.`,
	Refs: []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_timeout"},

	Fixes:   streamIdle.ID,
	Client:  "raw",
	Nginx:   "stream",
	Backend: "scripted",
	Server:  streamIdle.Server,
	Play:    streamIdle.Play,
	Want: want{
		Access:  []access{{Status: 200}},
		Replies: []reply{{}, {}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "F."}},
		Ends: []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{What: "the session has 1 s", Nginx: streamIdle.Nginx},
})
