package catalogue

import "rstlab/lab/scenario"

var Return444 = add(scenario.Scenario{
	ID:    "return-444",
	Title: "return 444: nginx hangs up without a word, and the client reads EOF",
	Why: `444 is no status of HTTP: it tells nginx to close the connection in place of an answer.
The request is read and logged with 444, then comes FIN: in order, no RST, not a byte of a
response. The client cannot tell it from a server that died just then, and calls it EOF.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return"},

	Nginx: "return-444",
	Play:  []scenario.Step{get("/test")},
	Want: scenario.Want{
		Replies: []scenario.Reply{{Class: "eof", Conn: 1}},
		Access:  []scenario.Access{{Status: 444}},
		Wire: []scenario.Segment{
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "F."},
		},
		Ends: []scenario.End{{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: scenario.Control{What: "nginx answers", Nginx: "baseline"},
})
