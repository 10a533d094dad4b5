package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "499-and-the-back-end",
	Title: "the client has left, nginx too, and the back end finishes its work for nobody: RST to its answer",
	Why: `nginx closes its connection to the back end when the client leaves (499-fin). A back end that works and does not
look at its socket knows nothing of that FIN. It finishes the work, whatever that has cost or changed, and writes its
answer: the write succeeds, the answer meets nginx's kernel, where no process owns the connection any more, and comes
back as RST. What it writes after that fails with EPIPE. That is where "Broken pipe" in a back end's log comes from.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_client_abort", "RFC 9293, 3.10.7.4", "tcp_timewait_state_process, net/ipv4/tcp_minisocks.c"},

	Client:  "raw",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "done\n"), script.Wait("more"), script.Fill(1)}),
	Play: steps{begin(raw("c", script.Write(getTest), script.Wait("leave"), script.Close())),
		said(backend, "working"), patience, tell(client, "leave"), await(nginx, backend, "F."), quiet(),
		tell(backend, "done"), await(nginx, backend, "R"), tell(backend, "more")},
	Want: want{
		Replies: []reply{{}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 499}},
		Wire: []segment{{From: client, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "F."},
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R"}},
		Resets: []reset{{From: nginx, To: backend, Kind: "to-data-after-close"}},
		Ends: []end{{Client: client, Server: nginx, Cause: "abandoned", ClosedBy: "client"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"}},
	},
	Control: control{
		What:   "the back end sees the FIN, and does not answer",
		Server: serve(ops{script.ReadRequest(), script.Say("working"), script.ReadEnd(), script.Close()}),
		Play: steps{begin(raw("c", script.Write(getTest), script.Wait("leave"), script.Close())),
			said(backend, "working"), patience, tell(client, "leave"), await(nginx, backend, "F."), quiet()},
	},
})
