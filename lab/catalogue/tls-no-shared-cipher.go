package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "tls-no-shared-cipher",
	Title: "client and nginx have no cipher in common: an alert in place of a handshake",
	Why: `ssl_ciphers leaves one cipher that this client does not have, and only TLS 1.2. nginx finds nothing in the ClientHello
that it may use, sends the alert handshake_failure and closes: "SSL_do_handshake() failed (... no shared cipher) while SSL
handshaking", at info alone. The client reads the alert: "remote error: tls: handshake failure". To TCP it is a
connection that was closed in order.`,
	Refs: []string{"RFC 5246, 7.2.2", "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_ciphers"},

	Nginx: "tls-no-shared-cipher",
	Play:  steps{get("https://test.foo.com/test")},
	Want: want{
		Replies: []reply{{Class: "other", Text: []string{"remote error: tls: handshake failure"}}},
		Info:    []string{"no shared cipher) while SSL handshaking"},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
	},
	Control: control{What: "nginx has the usual ciphers", Nginx: "tls"},
})
