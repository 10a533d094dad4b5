package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "accept-overflow",
	Title: "the back end does not accept for 2 s and its queue is full: a request waits for a SYN, and nginx says 504",
	Why: `The back end listens with a backlog of 1 and hangs, as in a long garbage collection. Its kernel makes
connections all the same and puts them in the accept queue, which takes one more than the backlog. The third SYN
finds it full and is dropped, without a word but the counters ListenOverflows and ListenDrops. It is sent
again after 1 s and dropped again, and proxy_connect_timeout is over: "upstream timed out (110) while connecting
to upstream", 504. Those in the queue lose nothing: when the back end goes on, it answers them.`,
	Refs: []string{"listen(2), backlog", "tcp_conn_request, net/ipv4/tcp_input.c", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_connect_timeout"},

	Client:  "raw",
	Nginx:   "connect-timeout",
	Backend: "scripted",
	Server:  &script.Server{Backlog: 1},
	Play:    queued,
	Want: want{
		Replies:  []reply{{Status: 200}, {Status: 200}, {Status: 504}},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while connecting to upstream"},
		Access:   []access{{Status: 504, Upstream: "504"}, {Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "unanswered"}},
		Counters: []scenario.Counts{{Host: backend, Name: "TcpExt:ListenOverflows"}},
	},
	Control: control{What: "the back end has the system's backlog", Server: &script.Server{}},
})

// asks is a GET by the raw client.
var asks = ops{script.Write("GET /test HTTP/1.1\r\nHost: test.foo.com\r\n\r\n"), script.ReadResponse()}

// queued is three requests that come while the back end hangs, and go on when
// it does.
var queued = steps{
	pause(backend),
	begin(raw("first", asks...)), await(nginx, backend, "P."),
	begin(raw("second", asks...)), await(nginx, backend, "P."),
	begin(raw("third", asks...)),
	idle(2 * second), signal(backend, "CONT", scenario.All), finish(),
}
