package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "return-444-reset",
	Title: "return 444 with reset_timedout_connection on: RST, and the client reads ECONNRESET",
	Why: `return 444 closes the connection in place of an answer. With reset_timedout_connection on, nginx treats such a
connection as it does one that has timed out: it sets SO_LINGER to 0 before it closes, and the kernel sends RST
where return-444 shows FIN. Everything has been read; the reset is nginx's own wish.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#reset_timedout_connection",
		"https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return", "socket(7), SO_LINGER"},

	Nginx: "return-444-reset",
	Play:  steps{get("/test")},
	Want: want{
		Replies: []reply{{Class: "reset", Text: []string{"read: connection reset by peer"}}},
		Access:  []access{{Status: 444}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R."}},
		Resets:  []reset{{From: nginx, To: client, Kind: "abort"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "aborted"}},
	},
	Control: control{What: "reset_timedout_connection stays off", Nginx: "return-444"},
})
