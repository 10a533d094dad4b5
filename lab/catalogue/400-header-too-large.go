package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var headerTooLarge400 = add(scenario.Scenario{
	ID:    "400-header-too-large",
	Title: "a header of 12 kB: nginx says 400 where others say 431",
	Why: `A line of the head must fit in one buffer of large_client_header_buffers, 8 kB: a cookie that has grown does not. nginx
stops reading: "client sent too long header line" at info, and answers 400 "Request Header Or Cookie Too Large" (494
inside, 431 nowhere). It sends FIN and, by lingering_close on, reads and discards the rest, so there is no RST
(huge-header-lingering-off shows it without). The worker is stopped here until all has come; 414-uri-too-long says why.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers", "RFC 6585, 5"},

	Client: "raw",
	Play: steps{logged("start worker process "), signal(nginx, "STOP", scenario.Workers),
		begin(raw("c", script.Write("GET /test HTTP/1.1\r\nHost: test.foo.com\r\nConnection: close\r\nCookie: ").Filled(12000), script.Write("\r\n\r\n"), script.ReadResponse(), script.ReadEnd(), script.Close())), quiet(),
		signal(nginx, "CONT", scenario.Workers), finish()},
	Want: want{
		Replies: []reply{{Status: 400, Body: "Request Header Or Cookie Too Large"}},
		Info:    []string{"client sent too long header line"},
		Access:  []access{{Status: 400}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "the header is short",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
