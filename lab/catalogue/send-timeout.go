package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "send-timeout",
	Title: "a client stops reading: nginx gives it up, its answer is cut, and access.log says 200",
	Why: `The client's window closes, nginx's socket fills, and for send_timeout, 60 s by default and here 1 s, nginx can
write nothing more. It gives up: "client timed out (110: Connection timed out) while sending to client" at info, and
200 in access.log, for that was sent. It closes, but the FIN stands behind what the kernel still has to send: the
socket is an orphan in FIN_WAIT1 with tens of kB that probes the closed window. A client that wakes up reads
them, then the end, before Content-Length is reached.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#send_timeout",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#reset_timedout_connection", "RFC 9293, 3.8.6.1"},

	Client:  "raw",
	Nginx:   "send-timeout-1s",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n").Filled(300000), script.Again()}),
	Takes:   second,
	Play: steps{raw("c", script.Buffer(4096), script.Write(getTest)), logged("while sending to client"), state(nginx, "FIN-WAIT-1"),
		raw("c", script.ReadResponse(), script.Close())},
	Want: want{
		Replies: []reply{{}, {Status: 200, Class: "eof"}},
		Ran:     []string{"GET /"},
		Info:    []string{"client timed out (110: Connection timed out) while sending to client"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Sockets: []socket{{Before: 2, Host: nginx, State: "FIN-WAIT-1"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"}},
	},
	Control: control{
		What: "the client reads",
		Play: steps{raw("c", script.Buffer(4096), script.Write(getTest)), raw("c", script.ReadResponse(), script.Close())},
	},
})
