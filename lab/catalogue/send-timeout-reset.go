package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "send-timeout-reset",
	Title: "a client stops reading, and reset_timedout_connection is on: RST in place of the rest",
	Why: `As in send-timeout nginx gives up a client that takes nothing for send_timeout, here 1 s, and logs 200. But with
reset_timedout_connection on it sets SO_LINGER to 0 before it closes: what was not sent yet is thrown away, and RST
goes out. That frees the kernel's memory at once; the client reads what it had, then ECONNRESET.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#send_timeout",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#reset_timedout_connection", "RFC 9293, 3.8.6.1"},

	Client:  "raw",
	Nginx:   "send-timeout-1s-reset",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n").Filled(300000), script.Again()}),
	Takes:   second,
	Play: steps{raw("c", script.Buffer(4096), script.Write(getTest)), logged("while sending to client"), quiet(),
		raw("c", script.ReadResponse(), script.Close())},
	Want: want{
		Replies: []reply{{}, {Status: 200, Class: "reset"}},
		Ran:     []string{"GET /"},
		Info:    []string{"client timed out (110: Connection timed out) while sending to client"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire:    []segment{{From: nginx, To: client, Flags: "R."}},
		Resets:  []reset{{From: nginx, To: client, Kind: "abort"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "aborted"}},
	},
	Control: control{
		What: "the client reads",
		Play: steps{raw("c", script.Buffer(4096), script.Write(getTest)), raw("c", script.ReadResponse(), script.Close())},
	},
})
