package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "client-leaves-mid-body",
	Title: "a client leaves in the middle of a download: RST, and 200 in the log",
	Why: `The client reads a part of its answer and closes. Bytes lie unread in its socket, so its close is a RST (RFC 2525,
2.17). nginx notices while it waits for room to write: "client prematurely closed connection (104: Connection reset by
peer) while sending to client", at info. access.log says 200, for the status had been sent; only bytes_sent, less than
the answer has, tells that it did not arrive.`,
	Refs: []string{"RFC 2525, 2.17", "https://nginx.org/en/docs/http/ngx_http_core_module.html#var_bytes_sent"},

	Client:  "raw",
	Nginx:   "send-timeout-1s",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n").Filled(300000), script.Again()}),
	Play: steps{begin(raw("c", script.Buffer(4096), script.Write(getTest), script.ReadHead(), script.Wait("leave"), script.Close())),
		await(nginx, client, "P."), quiet(), tell(client, "leave")},
	Want: want{
		Replies: []reply{{Status: 200}},
		Ran:     []string{"GET /"},
		Info:    []string{"client prematurely closed connection (104: Connection reset by peer) while sending to client"},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire:    []segment{{From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "R."}},
		Resets:  []reset{{From: client, To: nginx, Kind: "abort"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "abandoned"}},
	},
	Control: control{
		What: "the client reads all of it",
		Play: steps{raw("c", script.Buffer(4096), script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
