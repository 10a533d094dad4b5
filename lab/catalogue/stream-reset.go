package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "stream-reset",
	Title: "does stream {} pass a RST on? No: the client sees FIN",
	Why: `nginx as a proxy of TCP has two connections, and what happens to one of them is no segment of the other. The back end
throws its end away: RST. nginx logs "recv() failed (104: Connection reset by peer) while proxying and reading from
upstream", has passed on all that came before, and closes the client's connection: FIN. A client for which the end
of the connection is the end of the data takes the half for the whole.`,
	Refs: []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html", "RFC 9293, 3.10.5"},

	Client:  "raw",
	Nginx:   "stream",
	Backend: "scripted",
	Server:  serve(ops{script.Read(5), script.Write("world"), script.Wait("die"), script.Reset()}),
	Play: steps{
		begin(raw("a", script.Write("hello"), script.Read(5), script.Say("open"), script.ReadEnd(), script.Close())),
		said(client, "open"), tell(backend, "die"), finish(),
	},
	Want: want{
		Replies:  []reply{{}},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while proxying and reading from upstream"},
		Access:   []access{{Status: 200}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "R."}, {From: nginx, To: client, Flags: "F."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What:   "the back end closes in order",
		Server: serve(ops{script.Read(5), script.Write("world"), script.Wait("die"), script.Close()}),
	},
})
