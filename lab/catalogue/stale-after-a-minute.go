package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "stale-after-a-minute",
	Title: "a request more than a minute after nginx's FIN: nobody remembers the connection, and RST all the same",
	Why: `nginx has closed an idle connection and its FIN was acknowledged: FIN_WAIT2. Linux keeps that state for
tcp_fin_timeout, 60 s, and then forgets the connection, without a word on the wire. The client's end is in CLOSE_WAIT and
stays there for as long as its program leaves it so, hours if need be. Its next request belongs to no connection: it
reaches the listening socket, which has no use for data, and the kernel answers with RST. To the client nothing has changed
against stale-idle: it reads the FIN that has waited for it, EOF. The kernel tells them apart by its reason: TCP_FLAGS of the
listener in place of TCP_TIMEWAIT_SOCKET.`,
	Refs: []string{"tcp(7), tcp_fin_timeout", "RFC 9293, 3.10.7.1", "tcp_rcv_state_process, net/ipv4/tcp_input.c (TCP_LISTEN)"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Play:    steps{get("/test"), reload(nginx), await(nginx, client, "F."), idle(65 * second), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Class: "eof", Text: []string{"unexpected end of stream"}, Conn: 1}},
		Ran:     []string{"GET /"},
		Wire:    slices.Concat(exchange(client, nginx), staleRequest(client, nginx)),
		Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}},
		Sockets: []socket{{Before: 2, Host: client, State: "CLOSE-WAIT"}},
	},
	Control: control{
		What: "nginx is not reloaded",
		Play: steps{get("/test"), get("/test")},
	},
})
