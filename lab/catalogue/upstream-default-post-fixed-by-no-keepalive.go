package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "upstream-default-post-fixed-by-no-keepalive",
	Title: "\"Connection: close\" and no upstream block: every version of nginx does what the old ones did",
	Why: `proxy_pass names the back end itself, without an upstream block, and the request says "Connection: close": no
version of nginx keeps such a connection. It closes when it has read the answer, the back end's lost FINs concern a
connection that is over, and the POST goes out on a new one, before 1.29.7 and after. With an upstream block "keepalive
0" does the same, but nginx before 1.29.7 refuses that. The price is a handshake a request, and a port in TIME-WAIT for
a minute after each.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive", "https://nginx.org/en/CHANGES", "RFC 9112, 9.6"},

	Fixes:   upstreamDefaultPost.ID,
	Nginx:   "upstream-keepalive-off",
	Backend: "scripted",
	Server:  upstreamDefaultPost.Server,
	Play:    upstreamDefaultPost.Play,
	Want:    upstreamDefaultPost.Want,
	Control: control{What: "nginx keeps its connections, whatever its version", Nginx: "upstream-60s"},
})
