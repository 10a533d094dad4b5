package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "lost-last-buffer-fixed-by-buffering-off",
	Title: "proxy_buffering off: what came before the RST goes to the client",
	Why: `Without buffering nginx passes on whatever it reads at once, and has nothing left to drop when the RST comes. The
error's name changes with the code that reads: "recv() failed (104...)" in place of readv(), and "while reading
upstream", or "while sending to client" where nginx had just done that. The price is a back end
that is busy for as long as the slowest client takes.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering"},

	Fixes:   "lost-last-buffer",
	Nginx:   "buffering-off",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), partial(10000, "").Filled(6000), script.Wait("end"), script.Reset()}),
	Play:    steps{begin(get("/test")), await(nginx, client, "P."), quiet(), tell(backend, "end"), finish()},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Bytes: 6000}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while "},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}, {From: nginx, To: client, Flags: "F."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "aborted"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{What: "proxy_buffering stays on", Nginx: "baseline"},
})
