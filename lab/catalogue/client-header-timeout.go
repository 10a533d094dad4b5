package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "client-header-timeout",
	Title: "a client sends half a head and stops: 408 in nginx's log, and not a byte for the client",
	Why: `nginx waits for the rest of a request's head for client_header_timeout, 60 s by default and here 1 s. Then it logs
"client timed out (110: Connection timed out) while reading client request headers" at info, 408 in access.log, and
closes: FIN. A 408 is never sent: who sees 408 in the log looks in vain for a client that has received it. The client
reads the end of the connection in place of an answer.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_timeout", "RFC 9110, 15.5.9"},

	Client: "raw",
	Nginx:  "client-timeouts-1s",
	Takes:  second,
	Play:   steps{raw("c", script.Write("GET /test HTTP/1.1\r\nHost: test.foo.com\r\n"), script.ReadResponse(), script.Close())},
	Want: want{
		Replies: []reply{{Class: "eof"}},
		Info:    []string{"client timed out (110: Connection timed out) while reading client request headers"},
		Access:  []access{{Status: 408}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "the head is whole",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
