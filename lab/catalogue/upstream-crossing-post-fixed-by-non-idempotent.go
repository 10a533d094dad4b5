package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-crossing-post-fixed-by-non-idempotent",
	Title: "proxy_next_upstream non_idempotent: nginx sends the POST again, 200, at the price of running some twice",
	Why: `FIN and request cross as in the failure, and nginx logs the same line. non_idempotent allows it to send a POST
again where it would a GET, so it opens a new connection: "502, 200". Here the POST has run once, for the back end had
not read the first. nginx cannot tell that from a back end that has read it, has run it and died before it answered,
and sends it again there too: then it runs twice (upstream-stale-post-runs-twice). The fix without that price is
upstream-crossing-post-fixed-by-shorter-timeout.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9110, 9.2.2"},

	Fixes:   upstreamCrossingPost.ID,
	Nginx:   "upstream-non-idempotent",
	Backend: "scripted",
	Server:  upstreamCrossingPost.Server,
	Play:    upstreamCrossingPost.Play,
	Want:    sentAgain("POST", "upstream prematurely closed connection while reading response header from upstream"),
	Control: control{What: "a POST is not sent again", Nginx: upstreamCrossingPost.Nginx},
})
