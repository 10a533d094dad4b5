package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "stream-reset-unread",
	Title: "stream {} sends RST to the client after all: when it has not read all that the client sent",
	Why: `The back end throws its connection away while more of the client's data lies in nginx's socket than nginx has read
(here its worker is stopped for that moment; a back end that reads slowly does the same). nginx closes the client's
connection as ever, but to close with something unread is an abort: its kernel sends RST in place of FIN. The client
gets "connection reset by peer". So it looks as if the RST had been passed on, by chance and not by design.`,
	Refs: []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html", "RFC 2525, 2.17", "tcp_close, net/ipv4/tcp.c (TCPAbortOnClose)"},

	Client:  "raw",
	Nginx:   "stream",
	Backend: "scripted",
	Server:  serve(ops{script.Read(5), script.Write("world"), script.Wait("die"), script.Reset()}),
	Play: steps{
		raw("a", script.Write("hello"), script.Read(5)),
		pause(nginx), raw("a", script.Fill(50_000)), await(client, nginx, "P."), tell(backend, "die"), await(backend, nginx, "R."),
		begin(raw("a", script.ReadEnd())), signal(nginx, "CONT", scenario.All), finish(),
	},
	Want: want{
		Replies:  []reply{{}, {}, {Class: "reset", Text: []string{"read: connection reset by peer"}}},
		ErrorLog: []string{"failed (104: Connection reset by peer) while proxying and"},
		Access:   []access{{Status: 200}},
		Wire:     []segment{{From: client, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}, {From: nginx, To: client, Flags: "R."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}, {From: nginx, To: client, Kind: "abort"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "aborted"}, {Client: nginx, Server: backend, Cause: "aborted"}},
		Counters: []scenario.Counts{{Host: nginx, Name: "TcpExt:TCPAbortOnClose"}},
	},
	Control: control{
		What: "nginx has read everything",
		Play: steps{
			raw("a", script.Write("hello"), script.Read(5)),
			tell(backend, "die"), await(backend, nginx, "R."), raw("a", script.ReadEnd()),
		},
	},
})
