package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "limit-req",
	Title: "limit_req: too many requests get 503 from nginx itself, and keep their connection",
	Why: `limit_req lets an address make one request a minute here, without a burst. The second one within the minute gets 503
from nginx: "limiting requests, excess: ... by zone" in error.log, no upstream in access.log. The connection stays open:
a client that reads 503 as a sign to connect anew makes matters worse. limit_req_status 429 says it better.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_limit_req_module.html", "RFC 6585, 4"},

	Nginx: "limit-req",
	Play:  steps{get("/test"), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 503, Conn: 1}},
		ErrorLog: []string{"limiting requests, excess: "},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 503}},
	},
	Control: control{What: "there is no limit", Nginx: "baseline"},
})
