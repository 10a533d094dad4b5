package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "continue-413",
	Title: "Expect: 100-continue spares a client its upload: 413 before a byte of the body",
	Why: `The client announces a large body and asks first: Expect: 100-continue. nginx answers 413 at once in place of 100, and
the client does not send what would be thrown away. The connection has no further use: nginx waits lingering_timeout,
here 1 s, for a body that does not come, then sends FIN, and only then writes the line in access.log.`,
	Refs: []string{"RFC 9110, 10.1.1", "https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_timeout"},

	Client: "raw",
	Nginx:  "lingering-on",
	Takes:  second,
	Play: steps{raw("c", script.Write("POST /test HTTP/1.1\r\nHost: test.foo.com\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"),
		script.ReadResponse(), script.ReadEnd(), script.Close())},
	Want: want{
		Replies:  []reply{{Status: 413}},
		ErrorLog: []string{"client intended to send too large body: 1000000 bytes"},
		Access:   []access{{Status: 413}},
		Wire:     []segment{{From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "the body is as large as it may be",
		Play: steps{raw("c", script.Write("POST /test HTTP/1.1\r\nHost: test.foo.com\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"),
			script.Fill(10), script.ReadResponse(), script.Close())},
	},
})
