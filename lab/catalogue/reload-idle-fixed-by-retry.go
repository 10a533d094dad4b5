package catalogue

import "rstlab/lab/scenario"

var ReloadIdleFixedByRetry = add(scenario.Scenario{
	ID:    "reload-idle-fixed-by-retry",
	Title: "a client that retries does not notice a reload of nginx",
	Why: `A pool timeout cannot help here, for nobody announces a reload. What helps is a client
that sends the request again when a kept connection turns out to be closed, as OkHttp does by
default: the RST is still on the wire, the caller gets 200 on a new connection.`,
	Refs: []string{"RFC 9110, 9.2.2", "https://nginx.org/en/docs/control.html#reconfiguration"},

	Fixes:   "reload-idle",
	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.On},
	Play:    []scenario.Step{get("/test"), reload(nginx), await(nginx, client, "F."), quiet(), get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:     []string{"GET /", "GET /"},
		Resets:  []scenario.Reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends: []scenario.End{
			{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "open"},
		},
	},
	Control: scenario.Control{What: "the retry is off",
		Options: &scenario.Options{Retry: scenario.Off}},
})
