package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "worker-killed-runs-twice-fixed-by-no-retry",
	Title: "without its retry OkHttp places the order once, and the caller has to find out whether it was",
	Why: `retryOnConnectionFailure(false) leaves the decision to the caller. The POST runs once and its answer is lost: the
caller gets "unexpected end of stream" and must ask the server what became of it, or send it again with a key by which
the server knows it. The price is every failure of a stale connection that the retry would have hidden
(stale-idle): have one client with a retry for what may run twice, and one without for the rest.`,
	Refs: []string{"RFC 9110, 9.2.2", "okhttp3.OkHttpClient.Builder.retryOnConnectionFailure"},

	Fixes:   "worker-killed-runs-twice",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Backend: "scripted",
	Server:  diesInSecond,
	Play:    killedInPost,
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Class: "eof", Text: []string{"unexpected end of stream"}, Conn: 1}},
		Ran:      []string{"GET /", "POST /"},
		ErrorLog: []string{"exited on signal 9"},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
		},
	},
	Control: control{What: "the retry is on", Options: &scenario.Options{Retry: scenario.On}},
})
