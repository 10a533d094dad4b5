package catalogue

import "rstlab/lab/scenario"

var proxyProtocolMissing = add(scenario.Scenario{
	ID:    "proxy-protocol-missing",
	Title: "nginx expects a PROXY line and gets a request: it hangs up without a word",
	Why: `listen ... proxy_protocol: every connection must begin with a PROXY line that names the client, as a load balancer
writes it. This client comes past the load balancer. nginx reads its request line where the PROXY line should be,
"broken header: "GET /test HTTP/1.1" while reading PROXY protocol", [error], and closes: FIN, no answer, no line in
access.log. The client reads EOF.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt"},

	Nginx: "proxy-protocol",
	Play:  steps{get("/test")},
	Want: want{
		Replies:  []reply{{Class: "eof"}},
		ErrorLog: []string{"broken header: \"GET /test HTTP/1.1"},
		Wire:     []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "F."}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"}},
	},
	Control: control{What: "nginx expects none", Nginx: "baseline"},
})
