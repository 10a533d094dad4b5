package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tunnel-reload",
	Title: "an open WebSocket outlives a reload of nginx, and with it a worker of the old config",
	Why: `On SIGHUP new workers start and the old ones finish what they are doing. A tunnel is something to finish, however
long it takes: the old worker does not take new connections any more, but goes on passing on what comes, "worker
process is shutting down" in ps. The client notices nothing. With a reload an hour and WebSockets that stay for
days the old workers pile up, each with its memory and the config of its day.`,
	Refs: []string{"https://nginx.org/en/docs/control.html#reconfiguration", "https://nginx.org/en/docs/http/websocket.html"},

	Client:  "raw",
	Nginx:   "tunnel",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("pong"), script.ReadEnd(), script.Close()}),
	Play: steps{
		begin(raw("a", script.Write(upgrade), script.ReadResponse(), script.Say("open"), script.Wait("reloaded"), script.Write("ping"), script.Read(4), script.Close())),
		said(client, "open"), reload(nginx), logged("gracefully shutting down"), tell(client, "reloaded"), finish(), logged("exited with code 0"),
	},
	Want: want{
		Replies: []reply{{Status: 101}},
		Ran:     []string{"GET /"},
		Info:    []string{"gracefully shutting down", "exited with code 0"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "F."}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{
		What: "nginx is not reloaded",
		Play: steps{raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4), script.Close())},
	},
})
