package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "closes-without-reading",
	Title: "the back end closes with the request unread: RST, 104 in nginx's log",
	Why: `The back end accepts and closes without having read: out of workers, a limit per address, a crash in accept
handlers. The request lies in its socket's receive buffer, acknowledged by the kernel. close() with unread data must
not look like an orderly end, because data was lost: the kernel sends RST in place of FIN and counts TCPAbortOnClose.
nginx gets ECONNRESET: "recv() failed (104: Connection reset by peer) while reading response header from upstream".
The same close() after a read sends FIN (closes-without-answer): what differs is who had read, not who closed.`,
	Refs: []string{"RFC 9293, 3.6.1", "RFC 2525, 2.17", "tcp_close, net/ipv4/tcp.c"},

	Backend: "scripted",
	Server:  serve(ops{script.Wait("close"), script.Close()}),
	Play:    steps{begin(get("/test")), await(backend, nginx, "."), tell(backend, "close")},
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
		What:   "the back end reads before it closes",
		Server: serve(ops{script.Wait("close"), script.ReadRequest(), script.Close()}),
	},
})
