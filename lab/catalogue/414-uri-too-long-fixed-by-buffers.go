package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "414-uri-too-long-fixed-by-buffers",
	Title: "large_client_header_buffers 4 16k: the same URI fits",
	Why: `The request line is a line of the head like any other: it must fit in one of large_client_header_buffers, which are
16 kB now. nginx passes the request on with its 12 kB, and the back end, whose limit counts too, answers it. What is
that long is data rather than a name, and belongs in the body of a POST, for which no such limit holds.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers", "RFC 9110, 4.1"},

	Fixes:  uriTooLong414.ID,
	Client: "raw",
	Nginx:  "client-headers-16k",
	Play:   uriTooLong414.Play,
	Want: want{
		Replies: []reply{{Status: 200}},
		Access:  []access{{Status: 200, Upstream: "200"}},
	},
	Control: control{What: "a line may have 8 kB", Nginx: "baseline"},
})
