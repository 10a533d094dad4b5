package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "http-09",
	Title: "a request of HTTP/0.9 gets a body without a head",
	Why: `A request line without a version is one of HTTP/0.9: no header follows, and none comes back. nginx still serves it: it
asks the back end with HTTP/1.1, logs 200, and writes the body alone, then FIN, which is all that tells its end. A
client that expects a status line cannot read it.`,
	Refs:  []string{"RFC 1945, 4.1", "RFC 9112, 2.3"},
	Looks: scenario.SymptomOther,

	Client: "raw",
	Play:   steps{raw("c", script.Write("GET /test\r\n"), script.ReadResponse(), script.ReadEnd(), script.Close())},
	Want: want{
		Replies: []reply{{Class: "eof"}},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "F."}},
		Ends: []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}},
	},
	Control: control{
		What: "the request line has a version",
		Play: steps{raw("c", script.Write(getTest), script.ReadResponse(), script.ReadEnd(), script.Close())},
	},
})
