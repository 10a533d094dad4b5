package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "upload-unread",
	Title: "proxy_request_buffering off, and a back end that never reads: the upload stands still, then 504",
	Why: `The body goes through nginx as it comes. The back end's process is stuck and never reads: its window goes to 0,
nginx cannot write, so it stops reading from the client, and nginx's own window goes to 0 as well: the upload stands
still from end to end. After proxy_send_timeout without a write, 1 s, nginx logs "upstream timed out (110: Connection
timed out) while sending request to upstream" and answers 504 in the middle of the upload.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_send_timeout", "RFC 9293, 3.8.6 (zero window)"},

	Client:  "raw",
	Nginx:   "send-timeout-1s-unbuffered",
	Backend: "scripted",
	Server:  &script.Server{Buffer: 4096, Conns: []ops{{script.Wait("never")}}},
	Takes:   second,
	Play:    steps{raw("upload", script.Write(postHead(200000)).Filled(200000), script.ReadResponse(), script.ReadEnd(), script.Close())},
	Want: want{
		Replies:  []reply{{Status: 504}},
		Ran:      []string{},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while sending request to upstream"},
		Access:   []access{{Status: 504, Upstream: "504"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
		Counters: []scenario.Counts{{Host: backend, Name: "TcpExt:TCPToZeroWindowAdv"}},
	},
	Control: control{
		What:   "the back end reads",
		Server: &script.Server{},
	},
})
