package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "half-close",
	Title: "a client closes its sending side and waits for the answer: nginx takes it for gone, 499",
	Why: `A client that has sent its request may say so with a half-close, shutdown(SHUT_WR), and read on: TCP allows it, and
nc and some old libraries do it. On the wire it is the FIN of a close, and nginx, which waits for the back end, takes it
for one: 499 in access.log, FIN to the back end and FIN to the client, which reads the end of the connection where its
answer should be. The back end's answer, when it comes, meets RST.`,
	Refs: []string{"RFC 9293, 3.6", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_client_abort"},

	Client:  "raw",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "done\n")}),
	Play: steps{begin(raw("c", script.Write(getTest), script.Wait("shut"), script.Shut(), script.ReadResponse(), script.Close())),
		said(backend, "working"), tell(client, "shut"), await(nginx, backend, "F."), quiet(), tell(backend, "done")},
	Want: halfClosed(end{Client: client, Server: nginx, Cause: "unexplained", ClosedBy: "client"}),
	// The longer it has waited, the more it looks like one that leaves.
	Or: []want{halfClosed(end{Client: client, Server: nginx, Cause: "abandoned", ClosedBy: "client"})},
	Control: control{
		What: "the client closes nothing",
		Play: steps{begin(raw("c", script.Write(getTest), script.ReadResponse())), said(backend, "working"), tell(backend, "done")},
	},
})

// halfClosed is what comes of it; told is what the wire tells of the client.
func halfClosed(told end) want {
	return want{
		Replies: []reply{{Class: "eof"}},
		Ran:     []string{"GET /"},
		Info:    []string{"client prematurely closed connection, so upstream connection is closed too while sending request to upstream"},
		Access:  []access{{Status: 499}},
		Wire: []segment{{From: client, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "F."},
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R"}},
		Resets: []reset{{From: nginx, To: backend, Kind: "to-data-after-close"}},
		Ends:   []end{told, {Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"}},
	}
}
