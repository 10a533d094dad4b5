package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upstream-socket-keepalive-waiting",
	Title: "the back end's host vanishes while nginx waits for its answer: TCP's probes end the wait, recv() failed (110), 502",
	Why: `The back end has read the request and acknowledged it, works on it, and its host is unreachable from one moment to the
next. nginx has nothing more to send, so there is nothing that could stay unacknowledged: by itself it would wait for
proxy_read_timeout, 60 s. With proxy_socket_keepalive on its kernel probes the silent connection (net.ipv4.
tcp_keepalive_time, here 1 s), and after two probes without an answer gives it up: RST into the void, and the socket's
error is ETIMEDOUT. recv() returns it: "recv() failed (110: Connection timed out) while reading response header from
upstream", an error, 502. nginx's own timer has the same 110 in other words, "upstream timed out (110: Connection timed
out)", and ends in 504. A back end that lives and is slow answers the probes: it keeps its 60 s.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_socket_keepalive",
		"tcp_keepalive_timer, net/ipv4/tcp_timer.c", "RFC 9293, 3.8.4"},

	Nginx:   "socket-keepalive",
	Backend: "scripted",
	Compose: "keepalive-probes",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("never")}),
	Takes:   3 * second,
	Play: steps{
		begin(get("/test")), said(backend, "working"), quiet(),
		filter(backend, "input tcp dport 8080 drop"), filter(backend, "output tcp sport 8080 drop"), finish(),
	},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"recv() failed (110: Connection timed out) while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire: []segment{
			{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "."},
			{From: nginx, To: backend, Flags: "."}, {From: nginx, To: backend, Flags: "."}, {From: nginx, To: backend, Flags: "R."},
		},
		Resets:   []reset{{From: nginx, To: backend, Kind: "probe-timeout"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "keepalive-timeout"}},
		Counters: []scenario.Counts{{Host: nginx, Name: "TcpExt:TCPAbortOnTimeout"}},
	},
	Control: control{What: "nobody probes, and nginx's own timer ends the wait", Nginx: "read-timeout-1s"},
})
