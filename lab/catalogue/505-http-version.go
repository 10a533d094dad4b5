package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "505-http-version",
	Title: "HTTP/2.0 in a request line: 505",
	Why: `HTTP/2 has no request lines: who writes HTTP/2.0 in one has put it together by hand, or behind a bad proxy. nginx
reads the version, says 505 and closes: "client sent invalid version while reading client request line", at info.`,
	Refs: []string{"RFC 9110, 15.6.6", "RFC 9112, 2.3"},

	Client: "raw",
	Play:   steps{raw("c", script.Write("GET /test HTTP/2.0\r\nHost: test.foo.com\r\n\r\n"), script.ReadResponse(), script.ReadEnd(), script.Close())},
	Want: want{
		Replies: []reply{{Status: 505}},
		Info:    []string{"client sent invalid version while reading client request line"},
		Access:  []access{{Status: 505}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "the version is HTTP/1.1",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
