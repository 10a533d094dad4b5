package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "plain-to-tls",
	Title: "a client speaks plain HTTP to a TLS port: 400, in plain HTTP",
	Why: `The URL says http, the port speaks https. nginx looks at the first byte before it begins a handshake: no ClientHello
begins with a letter. So it reads a request, in order to answer so that the client understands: 400 "The plain HTTP
request was sent to HTTPS port", 497 inside; then both close. Most servers would break off the handshake.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors", "RFC 8446, 5.1"},

	Nginx: "tls",
	Play:  steps{get("http://test.foo.com:443/test")},
	Want: want{
		Replies: []reply{{Status: 400, Body: "The plain HTTP request was sent to HTTPS port"}},
		Info:    []string{"client sent plain HTTP request to HTTPS port while reading client request headers"},
		Access:  []access{{Status: 400}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
	},
	Control: control{What: "the URL says https", Play: steps{get("https://test.foo.com:443/test")}},
})
