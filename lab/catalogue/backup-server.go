package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "backup-server",
	Title: "a backup server takes over when the only other one is dead",
	Why: `The backup gets nothing as long as the first server is alive. The first is killed; the next request is refused and
is passed to the backup: 200, "502, 200". The failure is counted, "upstream server temporarily disabled", and for
fail_timeout (10 s if nothing else is said) the backup gets every request without another try. It has not had a
request before: its caches are cold, and nobody may have noticed that it does not run.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_upstream_module.html#backup"},

	Compose: "two-backends",
	Nginx:   "backup-server",
	Backend: "scripted",
	Server:  named("first"),
	Second:  named("backup"),
	Play:    steps{get("/test"), get("/test"), quiet(), kill(backend), get("/test"), get("/test")},
	Want: want{
		Replies: []reply{{Status: 200, Body: "first"}, {Status: 200, Body: "first"}, {Status: 200, Body: "backup"}, {Status: 200, Body: "backup"}},
		Ran:     []string{"GET /", "GET /", "GET /", "GET /"},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream",
			"upstream server temporarily disabled while connecting to upstream"},
		Access: []access{{Upstream: "200"}, {Upstream: "200"}, {Upstream: "502, 200"}, {Upstream: "200"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "refused"}},
	},
	Control: control{What: "the second server is no backup", Nginx: "two-backends"},
})
