package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "so-keepalive",
	Title: "so_keepalive: a client's host vanishes, and nginx knows within seconds",
	Why: `With so_keepalive=1s:1s:2 in listen, nginx's kernel probes a connection on which nothing came for 1 s: an empty segment
with the sequence number before the next one, which a living peer must acknowledge. Two stay without answer, 1 s apart:
the kernel gives up, sends RST, and the socket's error is ETIMEDOUT: "recv() failed (110: Connection timed out) while
keepalive", at info. The slot is free again after 3 s.`,
	Refs: []string{"RFC 9293, 3.8.4", "https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "tcp_keepalive_timer, net/ipv4/tcp_timer.c"},

	Fixes:  "so-keepalive-missing",
	Client: "raw",
	Nginx:  "so-keepalive",
	Play: steps{raw("c", script.Write(getTest), script.ReadResponse()), quiet(),
		filter(client, "input ip saddr {nginx} drop"), filter(client, "output ip daddr {nginx} drop"), idle(5 * second)},
	Want: want{
		Info: []string{"recv() failed (110: Connection timed out) while keepalive"},
		Wire: []segment{{From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "."},
			{From: nginx, To: client, Flags: "."}, {From: nginx, To: client, Flags: "."}, {From: nginx, To: client, Flags: "R."}},
		Resets:   []reset{{From: nginx, To: client, Kind: "probe-timeout"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "keepalive-timeout"}},
		Counters: []scenario.Counts{{Host: nginx, Name: "TcpExt:TCPAbortOnTimeout"}},
	},
	Control: control{
		What: "the client stays",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse()), quiet(), idle(5 * second)},
	},
})
