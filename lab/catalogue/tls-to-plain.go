package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "tls-to-plain",
	Title: "a client speaks TLS to a port of plain HTTP: 400, which it cannot read as TLS",
	Why: `The URL says https, the port speaks http. nginx gets a ClientHello where a request line should be: "client sent invalid
method while reading client request line" at info, its bytes in place of the request, and it answers 400 in plain text.
The client reads "HTTP/" where the header of a TLS record should be, and gives up: most libraries say "wrong version
number", Go knows what it is.`,
	Refs: []string{"RFC 8446, 5.1", "RFC 9112, 3"},

	Play: steps{get("https://test.foo.com:80/test")},
	Want: want{
		Replies: []reply{{Class: "other", Text: []string{"http: server gave HTTP response to HTTPS client"}}},
		Info:    []string{"client sent invalid method while reading client request line"},
		Access:  []access{{Status: 400}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}},
	},
	Control: control{What: "the URL says http", Play: steps{get("http://test.foo.com:80/test")}},
})
