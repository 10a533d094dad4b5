package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "backend-resets-idle",
	Title: "the back end resets an idle connection: once the RST has arrived, it does no harm",
	Why: `The back end throws a connection that lies idle in nginx's cache away with RST (SO_LINGER 0, a restart, a
load balancer that clears its table). nginx watches its idle connections: the RST makes the socket readable, nginx
takes the connection out of its cache and closes it, without a line in any log. The next request, a POST even, goes
over a new connection. An RST harms only those who had something under way; a request that crosses it is
another story.`,
	Refs: []string{"RFC 9293, 3.10.7.4", "socket(7), SO_LINGER", "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive"},

	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Wait("reset"), script.Reset()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), quiet(), tell(backend, "reset"), await(backend, nginx, "R."), quiet(), post("/test", "two")},
	Want: want{
		Ran: []string{"GET /", "POST /"},
		Wire: slices.Concat(exchange(nginx, backend), []segment{{From: backend, To: nginx, Flags: "R."}},
			handshake(nginx, backend), exchange(nginx, backend)),
		Resets: []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What:   "the back end keeps the connection",
		Play:   steps{get("/test"), quiet(), post("/test", "two")},
		Server: &script.Server{},
	},
})
