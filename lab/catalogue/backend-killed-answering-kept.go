package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "backend-killed-answering-kept",
	Title: "the back end dies while it works on a request of a kept connection: nginx tries the same dead server again",
	Why: `As in backend-killed-answering, but the request came on a connection from nginx's cache. Its end before the first byte
of an answer looks like a stale connection, so nginx adds a try: it sends the GET again, to the same server, of which
there is no other. That one has just died: "502, 502", and two lines in error.log. The second depends on how far the kernel
has come with the dead process. It closes the process's sockets one after the other, the listener behind the connections:
mostly that is done, and the SYN is refused, "connect() failed (111)". A connection that the listener still takes goes
down with it, RST, "recv() failed (104)": the more connections there are to close, the more often.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream",
		"ngx_http_upstream_next, src/http/ngx_http_upstream.c", "do_exit, kernel/exit.c", "inet_csk_listen_stop, net/ipv4/inet_connection_sock.c"},

	Nginx:   "upstream-60s",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Say("working"), script.Wait("never")}),
	Play:    steps{get("/test"), begin(get("/test")), said(backend, "working"), kill(backend), finish()},
	Want: killedAnsweringKept("connect() failed (111: Connection refused) while connecting to upstream",
		reset{From: backend, To: nginx, Kind: "to-syn"}, end{Client: nginx, Server: backend, Cause: "refused"}),
	Or: []want{killedAnsweringKept("recv() failed (104: Connection reset by peer) while reading response header from upstream",
		reset{From: backend, To: nginx, Kind: "abort"}, end{Client: nginx, Server: backend, Cause: "aborted"})},
	Control: control{
		What:   "the back end is left alone, and answers",
		Play:   steps{get("/test"), get("/test")},
		Server: &script.Server{},
	},
})

// killedAnsweringKept is the death of a back end over the second request of a
// connection, and how the second try ends.
func killedAnsweringKept(line string, r reset, second end) want {
	return want{
		Replies:  []reply{{Status: 200}, {Status: 502}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading response header from upstream", line},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502, 502"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "P."},
			{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "R."},
		},
		Resets: []reset{r},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "no-response", ClosedBy: "server"}, second},
	}
}
