package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tunnel-client-resets",
	Title: "the client of a WebSocket dies with RST: the back end sees a clean end",
	Why: `The tunnel stands, and the client throws its connection away: RST. nginx closes the one to the back end with FIN:
in this direction too no RST is passed on. The line is of level info, as for all that clients do: "recv() failed
(104: Connection reset by peer) while proxying upgraded connection".`,
	Refs: []string{"https://nginx.org/en/docs/http/websocket.html", "RFC 6455, 7.1.5"},

	Client:  "raw",
	Nginx:   "tunnel",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("pong"), script.ReadEnd(), script.Close()}),
	Play:    steps{raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4), script.Reset())},
	Want: want{
		Replies: []reply{{Status: 101}},
		Ran:     []string{"GET /"},
		Info:    []string{"recv() failed (104: Connection reset by peer) while proxying upgraded connection"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire:    []segment{{From: client, To: nginx, Flags: "R."}, {From: nginx, To: backend, Flags: "F."}},
		Resets:  []reset{{From: client, To: nginx, Kind: "abort"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "aborted"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{
		What: "the client closes in order",
		Play: steps{raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4), script.Close())},
	},
})
