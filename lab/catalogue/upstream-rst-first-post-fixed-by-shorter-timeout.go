package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-rst-first-post-fixed-by-shorter-timeout",
	Title: "nginx gives an idle connection up before the back end does: no RST",
	Why: `keepalive_timeout in the upstream is 1 s, less than the time after which the back end closes. When the POST comes,
nginx has closed the idle connection and opens a new one: no request goes out on the old, so there is no RST that could
overtake anything. When the back end closes the old connection at last, its FIN meets one that nginx has left: whether
it comes early or late is all the same. (So there is no gate here, which would hold it.)`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout", "RFC 9112, 9.3.1"},

	Fixes:   upstreamRSTFirstPost.ID,
	Nginx:   "upstream-1s",
	Backend: "scripted",
	Server:  upstreamRSTFirstPost.Server,
	Takes:   second,
	Play:    nginxClosesFirst,
	Want:    onANewConnection,
	Control: control{
		What:  "nginx keeps the connection for its own 60 s, and the back end closes first",
		Nginx: upstreamRSTFirstPost.Nginx,
		Play:  upstreamRSTFirstPost.Play,
	},
})
