package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "499-fin",
	Title: "a client gives up and closes: 499, and nginx hangs up on the back end too",
	Why: `The client does not wait for its answer: it closes, FIN, as a client does whose timeout has passed or whose user has
gone. nginx watches the client's socket while it waits for the back end, takes the FIN for a client that has left, logs
499, a status of its own that nobody is sent, and closes the connection to the back end: FIN. "client prematurely closed
connection, so upstream connection is closed too" stands in error.log at info only. The back end may go on working.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_client_abort", "RFC 9293, 3.10.4 (CLOSE)"},

	Client:  "raw",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.ReadEnd(), script.Say("left alone"), script.Close()}),
	Play: steps{begin(raw("c", script.Write(getTest), script.Wait("leave"), script.Close())),
		said(backend, "working"), patience, tell(client, "leave"), said(backend, "left alone")},
	Want: want{
		Replies: []reply{{}},
		Ran:     []string{"GET /"},
		Info:    []string{"epoll_wait() reported that client prematurely closed connection, so upstream connection is closed too while sending request to upstream"},
		Access:  []access{{Status: 499}},
		Wire: []segment{{From: nginx, To: backend, Flags: "P."}, {From: client, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "F."}, {From: backend, To: nginx, Flags: "F."}},
		Ends: []end{{Client: client, Server: nginx, Cause: "abandoned", ClosedBy: "client"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"}},
	},
	Control: control{
		What:   "the client waits",
		Server: serve(ops{script.ReadRequest(), script.Say("working"), script.Say("left alone"), script.Answer(200, "done\n")}),
		Play:   steps{begin(raw("c", script.Write(getTest), script.ReadResponse())), said(backend, "working"), said(backend, "left alone")},
	},
})
