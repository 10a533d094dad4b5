package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tls-on-plain-port-fixed-by-https",
	Title: "proxy_pass https:// to a port that speaks TLS: 200",
	Why: `nginx sends a ClientHello to the same port, the handshake is done, and the request goes inside. nginx verifies
the back end's certificate only with proxy_ssl_verify on; here it is of the back end's own making.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass",
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify"},

	Fixes:   "tls-on-plain-port",
	Nginx:   "https-upstream",
	Backend: "scripted",
	Server:  serve(ops{script.TLS(), script.ReadRequest(), script.Answer(200, "ok")}),
	Play:    steps{get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "ok"}},
		Ran:     []string{"GET /"},
	},
	Control: control{What: "nginx speaks plain HTTP", Nginx: "baseline"},
})
