package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tunnel-backend-dies",
	Title: "the back end of a WebSocket dies with RST: the client sees a clean end",
	Why: `The tunnel stands, and the back end throws its connection away: RST. nginx logs "recv() failed (104: Connection
reset by peer) while proxying upgraded connection" and closes the client's connection, with FIN: a proxy of bytes
has no way to say what happened to its other side, and does not pass a RST on. Only a protocol that ends with words
of its own, as WebSocket does with its close frame, lets the client tell an end from a death.`,
	Refs:  []string{"https://nginx.org/en/docs/http/websocket.html", "RFC 6455, 7.1.5"},
	Looks: scenario.SymptomEOF,

	Client:  "raw",
	Nginx:   "tunnel",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("pong"), script.Wait("die"), script.Reset()}),
	Play: steps{
		begin(raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4), script.Say("open"), script.ReadEnd(), script.Close())),
		said(client, "open"), tell(backend, "die"), finish(),
	},
	Want: want{
		Replies:  []reply{{Status: 101}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while proxying upgraded connection"},
		Access:   []access{{Status: 101, Upstream: "101"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "R."}, {From: nginx, To: client, Flags: "F."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What:   "the back end closes in order",
		Server: serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("pong"), script.Wait("die"), script.Close()}),
	},
})
