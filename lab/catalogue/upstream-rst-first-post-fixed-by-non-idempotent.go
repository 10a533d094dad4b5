package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-rst-first-post-fixed-by-non-idempotent",
	Title: "proxy_next_upstream non_idempotent: nginx sends the POST again, 200, at the price of running some twice",
	Why: `The RST overtakes the FIN as in the failure, and nginx logs the same 104. non_idempotent allows it to send a POST
again where it would a GET, so it opens a new connection: "502, 200". Here the POST has run once, for the back end had
not read the first. A 104 is also what nginx sees of a back end that has run the POST and died of it: it sends the POST
again there too, and it runs twice (upstream-stale-post-runs-twice). The fix without that price is
upstream-rst-first-post-fixed-by-shorter-timeout.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream", "RFC 9110, 9.2.2"},

	Fixes:   upstreamRSTFirstPost.ID,
	Nginx:   "upstream-non-idempotent",
	Backend: "scripted",
	Server:  upstreamRSTFirstPost.Server,
	Play:    upstreamRSTFirstPost.Play,
	Want:    sentAgain("POST", "recv() failed (104: Connection reset by peer) while reading response header from upstream"),
	Control: control{What: "a POST is not sent again", Nginx: upstreamRSTFirstPost.Nginx},
})
