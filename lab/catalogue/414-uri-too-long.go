package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var uriTooLong414 = add(scenario.Scenario{
	ID:    "414-uri-too-long",
	Title: "a URI of 12 kB: 414",
	Why: `The request line must fit in one buffer of large_client_header_buffers, 8 kB. This one does not: "client sent too long
URI while reading client request line" at info, and 414. nginx sends FIN and, by lingering_close on, reads and
discards the rest: no RST. That much is sure where nginx knows of a rest: here its worker is stopped until all has come.
Bytes that come just between two of its reads it takes for none (ngx_unix_recv, rev->available), closes at once, and
their kernel answers with RST, at times, under load.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers", "RFC 9110, 15.5.15"},

	Client: "raw",
	Play: steps{logged("start worker process "), signal(nginx, "STOP", scenario.Workers),
		begin(raw("c", script.Write("GET /test?").Filled(12000), script.Write(" HTTP/1.1\r\nHost: test.foo.com\r\nConnection: close\r\n\r\n"), script.ReadResponse(), script.ReadEnd(), script.Close())), quiet(),
		signal(nginx, "CONT", scenario.Workers), finish()},
	Want: want{
		Replies: []reply{{Status: 414}},
		Info:    []string{"client sent too long URI while reading client request line"},
		Access:  []access{{Status: 414}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "the URI is short",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
