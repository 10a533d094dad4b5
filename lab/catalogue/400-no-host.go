package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "400-no-host",
	Title: "HTTP/1.1 without a Host header: 400",
	Why: `HTTP/1.1 requires Host; health checks that were written by hand often lack it. nginx reads the whole head, answers
400 and closes: "client sent HTTP/1.1 request without "Host" header while reading client request headers", at info.`,
	Refs: []string{"RFC 9112, 3.2"},

	Client: "raw",
	Play:   steps{raw("c", script.Write("GET /test HTTP/1.1\r\n\r\n"), script.ReadResponse(), script.ReadEnd(), script.Close())},
	Want: want{
		Replies: []reply{{Status: 400}},
		Info:    []string{"client sent HTTP/1.1 request without \"Host\" header"},
		Access:  []access{{Status: 400}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What: "it has a Host header",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.Close())},
	},
})
