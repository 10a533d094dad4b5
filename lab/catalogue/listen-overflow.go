package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "listen-overflow",
	Title: "nginx does not accept, and its queue is full: SYNs are dropped, clients wait a second and more",
	Why: `The worker is busy, here stopped. The kernel goes on making connections for it and keeps them in the accept
queue: of one more than backlog, here backlog=1, so two. For the third it drops the SYN in silence, no RST and no line
in any log: only the counters ListenOverflows and ListenDrops move. The client's kernel sends SYN again after a
second: connects that take just over one, or a few, are the sign. nginx's default backlog is 511, and
net.core.somaxconn caps it.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "listen(2)", "tcp_conn_request, net/ipv4/tcp_input.c", "RFC 6298, 2.1"},

	Client: "raw",
	Nginx:  "backlog-1",
	Takes:  second,
	Play: steps{logged("start worker process "), signal(nginx, "STOP", scenario.Workers),
		begin(raw("c1", script.Write(getTest), script.ReadResponse())), await(client, nginx, "P."),
		begin(raw("c2", script.Write(getTest), script.ReadResponse())), await(client, nginx, "P."), quiet(),
		begin(raw("c3", script.Write(getTest), script.ReadResponse())), await(client, nginx, "S"), quiet(), await(client, nginx, "S"),
		signal(nginx, "CONT", scenario.Workers)},
	Want: want{
		Wire: []segment{{From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "S."}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "S."},
			{From: client, To: nginx, Flags: "S"}, {From: client, To: nginx, Flags: "S"}, {From: nginx, To: client, Flags: "S."}},
		Counters: []scenario.Counts{{Host: nginx, Name: "TcpExt:ListenOverflows"}, {Host: nginx, Name: "TcpExt:ListenDrops"}},
	},
	Control: control{
		What:  "the queue has room for 511",
		Nginx: "baseline",
		Play: steps{logged("start worker process "), signal(nginx, "STOP", scenario.Workers),
			begin(raw("c1", script.Write(getTest), script.ReadResponse())), begin(raw("c2", script.Write(getTest), script.ReadResponse())),
			begin(raw("c3", script.Write(getTest), script.ReadResponse())), quiet(), signal(nginx, "CONT", scenario.Workers)},
	},
})
