package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "backend-killed-reading",
	Title: "the back end dies before it has read the request: RST, and 104 in nginx's log",
	Why: `The back end has accepted the connection, and its kernel has taken and acknowledged the request, but the
process has not read it when it is killed. To close a socket with unread data is no close but an abort: the kernel
sends RST in place of FIN, so that the other side knows that data was lost. nginx waits for the response's head:
"recv() failed (104: Connection reset by peer)", 502. Had the request been read, the same death would have sent
FIN: "upstream prematurely closed connection" (backend-killed-answering).`,
	Refs: []string{"RFC 2525, 2.17", "RFC 9293, 3.6 and 3.10.5 (ABORT)", "tcp_close, net/ipv4/tcp.c (TCPAbortOnClose)"},

	Backend: "scripted",
	Server:  serve(ops{script.Say("accepted"), script.Wait("never")}),
	Play:    steps{begin(get("/test")), await(backend, nginx, "."), said(backend, "accepted"), kill(backend)},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "."}, {From: backend, To: nginx, Flags: "R."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "aborted"}},
		Counters: []scenario.Counts{{Host: backend, Name: "TcpExt:TCPAbortOnClose"}},
	},
	Control: control{
		What:   "the back end has read the request when it is killed",
		Server: serve(ops{script.ReadRequest(), script.Say("accepted"), script.Wait("never")}),
	},
})
