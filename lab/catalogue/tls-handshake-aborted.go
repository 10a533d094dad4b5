package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tls-handshake-aborted",
	Title: "a client breaks off in the middle of its TLS handshake: FIN, and a line at info",
	Why: `The client sends the beginning of a ClientHello and closes, as a port scanner does, or a health check that only
connects, or a client whose timeout is shorter than the handshake takes. nginx reads the end in place of the rest: "peer
closed connection in SSL handshake while SSL handshaking", at info, and closes too. There was no request, so there is no
line in access.log.`,
	Refs: []string{"RFC 8446, 4.1.2", "https://nginx.org/en/docs/http/ngx_http_ssl_module.html"},

	Client: "raw",
	Nginx:  "tls",
	Play:   steps{raw("c", script.Write("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")).At("test.foo.com:443"), raw("c", script.Close()).At("test.foo.com:443")},
	Want: want{
		Replies: []reply{{}, {}},
		Info:    []string{"peer closed connection in SSL handshake while SSL handshaking"},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: client, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "unexplained", ClosedBy: "client"}}, // whether nginx owed its half of the handshake is in no segment
	},
	Control: control{
		What: "it makes the whole handshake",
		Play: steps{raw("c", script.TLS()).At("test.foo.com:443"), raw("c", script.Close()).At("test.foo.com:443")},
	},
})
