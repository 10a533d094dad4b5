package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "unix-socket-missing",
	Title: "the Unix socket of the back end does not exist: 502, and a [crit] line that names the file",
	Why: `nginx reaches the back end by a Unix socket, and the file is not there: the server has not started yet, has made
it elsewhere, or nginx sees another /run than the server does (a container, systemd's PrivateTmp). connect() fails
with ENOENT at once: "connect() to unix:/run/backend.sock failed (2: No such file or directory)", 502. There is no
network in between, so there is nothing to capture: the log is all the evidence. A file that is there but has no
server behind it gives 111, one that nginx may not open gives 13.`,
	Refs: []string{"unix(7)", "connect(2), ENOENT", "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server"},

	Nginx: "unix-socket-missing",
	Play:  steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"connect() to unix:/run/backend.sock failed (2: No such file or directory) while connecting to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
	},
	Control: control{What: "the server of the upstream is backend:8080", Nginx: "baseline"},
})
