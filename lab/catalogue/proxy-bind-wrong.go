package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "proxy-bind-wrong",
	Title: "proxy_bind names an address that nginx's host does not have: 500, not 502",
	Why: `proxy_bind tells nginx from which address to connect. The host does not have it (any more: it moved, or the config
was copied from another host), so bind() fails with EADDRNOTAVAIL before any packet leaves: "[crit] bind(192.0.2.1)
failed (99: Cannot assign requested address)". nginx takes that for its own fault, not the back end's, and says 500;
$upstream_status stays empty and no other server is tried.`,
	Refs: []string{"bind(2), EADDRNOTAVAIL", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_bind"},

	Nginx: "proxy-bind-wrong",
	Play:  steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 500}},
		Ran:      []string{},
		ErrorLog: []string{"bind(192.0.2.1) failed (99: Cannot assign requested address) while connecting to upstream"},
		Access:   []access{{Status: 500}},
	},
	Control: control{What: "nginx's kernel chooses the address", Nginx: "baseline"},
})
