package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "return-444-unread",
	Title: "return 444 to a request with a body: RST in place of FIN",
	Why: `nginx runs return 444 as soon as it has read the head. The body lies unread in its socket, and a close with unread
data is no close but a reset (RFC 2525, 2.17): where a request without a body ends with FIN (return-444), this one
ends with RST, and the client reads ECONNRESET in place of EOF. No setting of nginx has asked for that.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return", "RFC 2525, 2.17", "tcp_close, net/ipv4/tcp.c"},

	Client: "raw",
	Nginx:  "return-444",
	Play:   steps{raw("c", script.Write(postHead(6000)).Filled(6000), script.ReadResponse(), script.Close())},
	Want: want{
		Replies: []reply{{Class: "reset"}},
		Access:  []access{{Status: 444}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R."}},
		Resets:  []reset{{From: nginx, To: client, Kind: "abort"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "aborted"}},
	},
	Control: control{
		What: "the request has no body",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
