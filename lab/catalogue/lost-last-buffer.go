package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "lost-last-buffer",
	Title: "the back end resets in the middle of a body: nginx throws away the last 2 kB that it already had",
	Why: `The back end announces 10000 bytes, sends 6000 and goes with RST. All 6000 have arrived and nginx has read them, in
buffers of 4 kB (proxy_buffering). Full ones it passes on; the last is not full and waits for more. Then "readv()
failed (104: Connection reset by peer) while reading upstream": on an error nginx drops the buffer that waits. The
client gets the first 4 kB and FIN. A download that is continued (Range) starts earlier than it had to, and of a log
or an event stream the last lines, those that say why, are missing. (What nginx reads only after
the RST has come it passes on: a slower nginx loses less.)`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering",
		"ngx_event_pipe_read_upstream, src/event/ngx_event_pipe.c"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), partial(10000, "").Filled(6000), script.Wait("end"), script.Reset()}),
	Play:    steps{begin(get("/test")), await(nginx, client, "P."), quiet(), tell(backend, "end"), finish()},
	Want: want{
		Replies:  []reply{{Status: 200, Class: "eof", Text: []string{"unexpected EOF"}, Bytes: 4054}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"readv() failed (104: Connection reset by peer) while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}, {From: nginx, To: client, Flags: "F."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "aborted"},
			{Client: client, Server: nginx, Cause: "truncated", ClosedBy: "server"},
		},
	},
	Control: control{
		What:   "the back end sends all that it has announced",
		Server: serve(ops{script.ReadRequest(), partial(6000, "").Filled(6000), script.Wait("end"), script.Reset()}),
	},
})
