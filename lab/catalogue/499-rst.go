package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "499-rst",
	Title: "a client gives up with RST: 499, and FIN for the back end",
	Why: `The client throws its connection away, SO_LINGER 0, while nginx waits for the back end. For nginx that differs from
a FIN (499-fin) by an errno: "client prematurely closed connection, so upstream connection is closed too (104:
Connection reset by peer)", at info. 499 in access.log, and the back end sees FIN: a RST is not passed on.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_client_abort", "RFC 9293, 3.10.5 (ABORT)"},

	Client:  "raw",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.ReadEnd(), script.Say("left alone"), script.Close()}),
	Play: steps{begin(raw("c", script.Write(getTest), script.Wait("leave"), script.Reset())),
		said(backend, "working"), patience, tell(client, "leave"), said(backend, "left alone")},
	Want: want{
		Replies: []reply{{}},
		Ran:     []string{"GET /"},
		Info:    []string{"client prematurely closed connection, so upstream connection is closed too (104: Connection reset by peer) while sending request to upstream"},
		Access:  []access{{Status: 499}},
		Wire: []segment{{From: nginx, To: backend, Flags: "P."}, {From: client, To: nginx, Flags: "R."},
			{From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "F."}},
		Resets: []reset{{From: client, To: nginx, Kind: "abort"}},
		Ends: []end{{Client: client, Server: nginx, Cause: "abandoned"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"}},
	},
	Control: control{
		What: "the client closes in order",
		Play: steps{begin(raw("c", script.Write(getTest), script.Wait("leave"), script.Close())),
			said(backend, "working"), patience, tell(client, "leave"), said(backend, "left alone")},
	},
})
