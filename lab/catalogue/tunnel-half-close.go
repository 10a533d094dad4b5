package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tunnel-half-close",
	Title: "half a goodbye ends a WebSocket: nginx closes the tunnel at the first FIN",
	Why: `The client has said all that it has to say and closes its writing side only, shutdown(SHUT_WR), to read the rest of
what the back end sends. TCP allows that, nginx's tunnel does not: it takes the FIN for the end, and closes both
connections at once. What the back end sends after that meets a closed socket of nginx's: RST. The client reads the
end where the rest should be.`,
	Refs: []string{"https://nginx.org/en/docs/http/websocket.html", "RFC 9293, 3.6"},

	Client:  "raw",
	Nginx:   "tunnel",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write(switched), script.ReadEnd(), script.Write("rest"), script.Close()}),
	Play:    steps{raw("a", script.Write(upgrade), script.ReadResponse(), script.Shut(), script.Read(4))},
	Want: want{
		Replies: []reply{{Status: 101, Class: "eof"}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire: []segment{
			{From: client, To: nginx, Flags: "F."}, {From: nginx, To: backend, Flags: "F."},
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R"},
		},
		Resets: []reset{{From: nginx, To: backend, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, ClosedBy: "client"}},
	},
	Control: control{
		What:   "the client goes on",
		Server: serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("rest"), script.Close()}),
		Play:   steps{raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("more"), script.Read(4))},
	},
})
