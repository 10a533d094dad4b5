package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "worker-connections-500",
	Title: "a worker has a connection for the client and none for the back end: 500",
	Why: `worker_connections, here 7, counts back ends too. Two requests under way take four of the five that clients and back
ends can have; the next client gets the last one. Its request is read, and now nginx has no connection to ask the back
end on: "7 worker_connections are not enough while connecting to upstream", [alert], and 500, where the client would
expect 502 or 503. The upstream status is "-": nobody was asked.`,
	Refs: []string{"https://nginx.org/en/docs/ngx_core_module.html#worker_connections"},

	Client:  "raw",
	Nginx:   "seven-connections",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "done\n")}),
	Play: steps{begin(raw("c1", script.Write(getTest), script.ReadResponse())), said(backend, "working"),
		begin(raw("c2", script.Write(getTest), script.ReadResponse())), said(backend, "working"),
		raw("c3", script.Write(getTest), script.ReadResponse(), script.ReadEnd(), script.Close()), tell(backend, "done")},
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 200}, {Status: 500}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"7 worker_connections are not enough while connecting to upstream"},
		Access:   []access{{Status: 500, Upstream: "-"}, {Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
	},
	Control: control{
		What:  "there are 512",
		Nginx: "baseline",
		Play: steps{begin(raw("c1", script.Write(getTest), script.ReadResponse())), begin(raw("c2", script.Write(getTest), script.ReadResponse())),
			begin(raw("c3", script.Write(getTest), script.ReadResponse())), tell(backend, "done")},
	},
})
