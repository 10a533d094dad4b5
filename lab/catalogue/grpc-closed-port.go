package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "grpc-closed-port",
	Title: "grpc_pass to a port where nobody listens: 502, as with proxy_pass",
	Why: `nginx connects to a back end that speaks gRPC, and nobody listens: RST to the SYN, "connect() failed (111: Connection
refused)", and 502. The client gets nginx's page, in HTTP, and not a status of gRPC. Below HTTP the modules of nginx
are one: what connect() and recv() say is the same for proxy_pass, grpc_pass, fastcgi_pass and uwsgi_pass.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_grpc_module.html", "RFC 9293, 3.10.7.1"},

	Nginx:   "grpc",
	Backend: "scripted",
	Play:    steps{kill(backend), get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "R."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "refused"}},
	},
	Control: control{
		What:   "the back end lives, and closes by itself",
		Server: serve(ops{script.Read(8), script.Reset()}),
		Play:   steps{get("/test")},
	},
})
