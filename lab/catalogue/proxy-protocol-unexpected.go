package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "proxy-protocol-unexpected",
	Title: "a load balancer writes a PROXY line, and nginx does not expect one: 400",
	Why: `The load balancer in front begins each connection with a PROXY line. For an nginx without proxy_protocol in listen
that is a request line, and a bad one: "client sent invalid request while reading client request line" at info, with the
line itself as the request. It answers 400 and closes; every request through that load balancer fails like this.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt"},

	Client: "raw",
	Play:   steps{raw("c", script.Write("PROXY TCP4 192.0.2.1 192.0.2.2 50000 80\r\n"+getTest), script.ReadResponse(), script.Close())},
	Want: want{
		Replies: []reply{{Status: 400}},
		Info:    []string{"client sent invalid request while reading client request line"},
		Access:  []access{{Status: 400}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}},
	},
	Control: control{What: "nginx expects it", Nginx: "proxy-protocol"},
})
