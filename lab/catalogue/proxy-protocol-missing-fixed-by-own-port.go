package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "proxy-protocol-missing-fixed-by-own-port",
	Title: "a port for the load balancer and one for everybody else: the client without a PROXY line is answered",
	Why: `A listening socket expects the PROXY line of everybody or of nobody: nginx does not guess, and must not, or any client
could name itself as it likes. So the two kinds of connection get a port each: 81 with proxy_protocol, to which only the
load balancer should get through, and 80 without, for those who come directly, as health checks do. The same client's
request is read as what it is.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt"},

	Fixes:   proxyProtocolMissing.ID,
	Nginx:   "proxy-protocol-own-port",
	Play:    proxyProtocolMissing.Play,
	Want:    want{Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}}},
	Control: control{What: "port 80 expects the line too", Nginx: proxyProtocolMissing.Nginx},
})
