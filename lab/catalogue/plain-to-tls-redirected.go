package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "plain-to-tls-redirected",
	Title: "error_page 497: a client that speaks plain HTTP to a TLS port is sent to https",
	Why: `nginx calls plain HTTP on a TLS port error 497 and has it handled like any other: error_page 497 =301 with the same
URL in https. The client of plain-to-tls reads the redirect, makes a new connection, this time with a handshake, and
gets its answer.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors", "https://nginx.org/en/docs/http/ngx_http_core_module.html#error_page", "RFC 9110, 15.4.2"},

	Fixes: "plain-to-tls",
	Nginx: "tls-redirect",
	Play:  steps{get("http://test.foo.com:443/test")},
	Want: want{
		Replies: []reply{{Status: 200}},
		Access:  []access{{Status: 301}, {Status: 200, Upstream: "200"}},
	},
	Control: control{What: "nginx does not send it there", Nginx: "tls"},
})
