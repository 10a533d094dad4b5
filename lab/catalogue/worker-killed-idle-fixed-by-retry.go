package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "worker-killed-idle-fixed-by-retry",
	Title: "a client that retries does not notice that an idle worker was killed",
	Why: `No timeout announces that a worker dies. OkHttp with its retry sends the request again on a new connection, which
the listening socket takes at once and the new worker answers: 200.`,
	Refs: []string{"RFC 9110, 9.2.2", "RFC 9112, 9.3.1"},

	Fixes:   "worker-killed-idle",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.On},
	Play:    workerKilled,
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"exited on signal 9"},
		Resets:   []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: control{What: "the retry is off", Options: &scenario.Options{Retry: scenario.Off}},
})
