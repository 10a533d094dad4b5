package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "worker-killed-unread",
	Title: "a worker of nginx is killed before it has read a request: RST, where a read one gives FIN",
	Why: `The worker hangs, here stopped by SIGSTOP, as in a slow disk read. A request comes on a kept connection: its kernel
acknowledges it and puts it in the socket's buffer. Then the worker is killed. Its kernel closes the socket, finds data
that nobody has read, and says so: RST in place of FIN (RFC 2525, 2.17). The client reads "connection reset by peer",
and this one is good news: what was not read was not run. In worker-killed-in-flight, where the request was read, it is
FIN. But a RST can also overtake an answer, so no client may rely on it.`,
	Refs: []string{"RFC 2525, 2.17", "RFC 1122, 4.2.2.13", "tcp_close, net/ipv4/tcp.c (TCPAbortOnClose)"},

	Client:  "raw",
	Backend: "scripted",
	Server:  &script.Server{},
	Play: steps{raw("c", script.Write(getTest), script.ReadResponse()), logged(`"status":"200"`), signal(nginx, "STOP", scenario.Workers),
		begin(raw("c", script.Write(getTest), script.ReadResponse())), await(client, nginx, "P."), quiet(), signal(nginx, "KILL", scenario.Workers)},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Class: "reset", Text: []string{"connection reset by peer"}, Conn: 1}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"exited on signal 9"},
		Wire:     []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "."}, {From: nginx, To: client, Flags: "R."}},
		Resets:   []reset{{From: nginx, To: client, Kind: "abort"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "aborted"}},
		Counters: []scenario.Counts{{Host: nginx, Name: "TcpExt:TCPAbortOnClose"}},
	},
	Control: control{
		What: "the worker goes on and is not killed",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse()), logged(`"status":"200"`), signal(nginx, "STOP", scenario.Workers),
			begin(raw("c", script.Write(getTest), script.ReadResponse())), await(client, nginx, "P."), quiet(), signal(nginx, "CONT", scenario.Workers)},
	},
})
