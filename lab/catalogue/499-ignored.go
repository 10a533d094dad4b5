package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "499-ignored",
	Title: "proxy_ignore_client_abort on: the client has left, and the request goes on to its end: 200",
	Why: `With proxy_ignore_client_abort on, nginx does not look at the client while it waits for the back end. The client's
FIN is acknowledged by the kernel and read by nobody. The back end finishes in peace, nginx logs 200, upstream 200, and
writes the answer: the client's kernel has no process for it any more and says RST. That RST harms nobody, and the 200
says nothing of whether somebody has read it.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_client_abort", "RFC 9293, 3.10.7.4"},

	Fixes:   "499-and-the-back-end",
	Client:  "raw",
	Nginx:   "ignore-client-abort",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "done\n")}),
	Play: steps{begin(raw("c", script.Write(getTest), script.Wait("leave"), script.Close())),
		said(backend, "working"), tell(client, "leave"), await(client, nginx, "F."), quiet(), tell(backend, "done")},
	Want: want{
		Replies: []reply{{}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire: []segment{{From: client, To: nginx, Flags: "F."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "R"}},
		Resets: []reset{{From: client, To: nginx, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "abandoned", ClosedBy: "client"}},
	},
	Control: control{What: "nginx looks at the client", Nginx: "baseline"},
})
