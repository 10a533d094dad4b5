package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "send-request-timeout",
	Title: "the back end accepts and never reads a big POST: 504 by proxy_send_timeout",
	Why: `nginx has read the whole body of 200 kB into a file and sends it. The back end's process is stuck and never reads:
its kernel acknowledges until the receive buffer is full, then its window is 0 and nginx's write waits. The timer that
ends this is proxy_send_timeout, not proxy_read_timeout: no write for 1 s, "upstream timed out (110: Connection timed
out) while sending request to upstream", 504. A small request would fit in the buffer, and the same stuck process would
be a matter of proxy_read_timeout (slow-header).`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_send_timeout", "RFC 9293, 3.8.6 (zero window)"},

	Client:  "raw",
	Nginx:   "proxy-send-timeout-1s",
	Backend: "scripted",
	Server:  &script.Server{Buffer: 4096, Conns: []ops{{script.Wait("never")}}},
	Takes:   second,
	Play:    steps{raw("upload", script.Write(postHead(200000)).Filled(200000), script.ReadResponse())},
	Want: want{
		Replies: []reply{{Status: 504}},
		Ran:     []string{},
		ErrorLog: []string{"a client request body is buffered to a temporary file",
			"upstream timed out (110: Connection timed out) while sending request to upstream"},
		Access:   []access{{Status: 504, Upstream: "504"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
		Counters: []scenario.Counts{{Host: backend, Name: "TcpExt:TCPToZeroWindowAdv"}},
	},
	Control: control{
		What:   "the back end reads",
		Server: &script.Server{},
	},
})
