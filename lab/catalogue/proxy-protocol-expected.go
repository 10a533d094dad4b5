package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "proxy-protocol-expected",
	Title: "listen ... proxy_protocol: nginx takes the PROXY line for what it is",
	Why: `With proxy_protocol in listen, nginx reads the PROXY line of proxy-protocol-unexpected before it looks for a request:
the client's address that it names is $proxy_protocol_addr, and the request behind it is answered. Both sides must agree:
proxy-protocol-missing shows what becomes of those that come without the line.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#listen", "https://nginx.org/en/docs/http/ngx_http_core_module.html#var_proxy_protocol_addr"},

	Fixes:   "proxy-protocol-unexpected",
	Client:  "raw",
	Nginx:   "proxy-protocol",
	Play:    steps{raw("c", script.Write("PROXY TCP4 192.0.2.1 192.0.2.2 50000 80\r\n"+getTest), script.ReadResponse(), script.Close())},
	Want:    want{Access: []access{{Status: 200, Upstream: "200"}}},
	Control: control{What: "nginx does not expect it", Nginx: "baseline"},
})
