package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "worker-connections",
	Title: "a worker has no connections left: it accepts a client and throws it out at once, RST",
	Why: `worker_connections, here 8, counts everything: the listening socket, the line to the master, clients and back ends.
Three requests that the back end is slow with take the six that are left, two each. The kernel makes the next client's
connection and takes its request; nginx accepts it, finds no place for it, and closes it: "8 worker_connections are not
enough", [alert]. The request lies unread, so that close is a RST; would it come a little later, it would be FIN, and RST
to the request. There is no line in access.log.`,
	Refs: []string{"https://nginx.org/en/docs/ngx_core_module.html#worker_connections", "RFC 2525, 2.17"},

	Client:  "raw",
	Nginx:   "eight-connections",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "done\n")}),
	Play: steps{begin(raw("c1", script.Write(getTest), script.ReadResponse())), said(backend, "working"),
		begin(raw("c2", script.Write(getTest), script.ReadResponse())), said(backend, "working"),
		begin(raw("c3", script.Write(getTest), script.ReadResponse())), said(backend, "working"),
		signal(nginx, "STOP", scenario.Workers), begin(raw("c4", script.Write(getTest), script.ReadResponse())), await(client, nginx, "P."),
		signal(nginx, "CONT", scenario.Workers), logged("not enough"), tell(backend, "done")},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 200}, {Status: 200}, {Class: "reset"}},
		Ran:      []string{"GET /", "GET /", "GET /"},
		ErrorLog: []string{"8 worker_connections are not enough"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R."}},
		Resets:   []reset{{From: nginx, To: client, Kind: "abort"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "aborted"}},
	},
	Control: control{
		What:  "there are 512",
		Nginx: "baseline",
		Play: steps{begin(raw("c1", script.Write(getTest), script.ReadResponse())), begin(raw("c2", script.Write(getTest), script.ReadResponse())),
			begin(raw("c3", script.Write(getTest), script.ReadResponse())), begin(raw("c4", script.Write(getTest), script.ReadResponse())), tell(backend, "done")},
	},
})
