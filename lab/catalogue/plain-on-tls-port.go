package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "plain-on-tls-port",
	Title: "proxy_pass https:// to a port that speaks plain HTTP: 502, wrong version number",
	Why: `nginx sends a ClientHello, which is no HTTP; Node answers "HTTP/1.1 400 Bad Request" and closes. nginx reads the
"HTTP/" as the head of a TLS record, and its bytes 2 and 3 as a version: "SSL_do_handshake() failed (SSL:
error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream", 502. It closes with the rest
unread, so its kernel sends RST, and another where Node's FIN passes that on the way. (The OpenSSL of Debian 12,
beneath nginx 1.22, reads on before it gives up: FIN.)`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass", "RFC 8446, 5.1"},

	Nginx: "https-upstream",
	Play:  steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "F."}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "unexplained"}},
	},
	Since:   []scenario.Since{{Version: "1.23.0", Want: wrongVersion}},
	Or:      []want{and(wrongVersion, reset{From: nginx, To: backend, Kind: "after-close"})},
	Control: control{What: "nginx speaks plain HTTP", Nginx: "baseline"},
})

// wrongVersion is what nginx shows whose OpenSSL gives up at once, as that of Debian 13.
var wrongVersion = want{
	Replies:  []reply{{Status: 502}},
	ErrorLog: []string{"SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) while SSL handshaking to upstream"},
	Access:   []access{{Status: 502, Upstream: "502"}},
	Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R."}},
	Resets:   []reset{{From: nginx, To: backend, Kind: "abort"}},
	Ends:     []end{{Client: nginx, Server: backend, Cause: "unexplained"}},
}
