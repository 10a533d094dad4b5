package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "stream-backend-closed-port",
	Title: "stream {} and a dead back end: the client is connected, and then closed without a word",
	Why: `A client that connects through stream {} is connected to nginx: the handshake is done before nginx turns to the back
end. There nobody listens, "connect() failed (111: Connection refused)", and stream {} has no words to say so: it
closes, FIN. The client, which has sent nothing yet, never sees "connection refused", but a server that hangs up at
once. Checks that only connect find all well.`,
	Refs: []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html", "RFC 9293, 3.10.7.1"},

	Client:  "raw",
	Nginx:   "stream",
	Backend: "scripted",
	Play:    steps{kill(backend), raw("a", script.ReadEnd(), script.Close())},
	Want: want{
		Replies:  []reply{{}},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"},
		Access:   []access{{Status: 502}},
		Wire: []segment{
			{From: client, To: nginx, Flags: "S"}, {From: nginx, To: backend, Flags: "S"},
			{From: backend, To: nginx, Flags: "R."}, {From: nginx, To: client, Flags: "F."},
		},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "refused"}},
	},
	Control: control{
		What:   "the back end lives, and closes by itself",
		Server: serve(ops{script.Close()}),
		Play:   steps{raw("a", script.ReadEnd(), script.Close())},
	},
})
