package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "tunnel-shutdown-timeout",
	Title: "worker_shutdown_timeout: a reload of nginx closes every WebSocket after so long",
	Why: `worker_shutdown_timeout, here 1 s, is how long an old worker may go on after a reload. Then it closes what it still
has: FIN to both sides of the tunnel, in order, with nothing in the log above info. Old workers do not pile up any
more; instead all clients are cut off at the same moment and come back together.`,
	Refs:  []string{"https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout", "https://nginx.org/en/docs/http/websocket.html"},
	Looks: scenario.SymptomEOF,

	Client:  "raw",
	Nginx:   "tunnel-shutdown-timeout-1s",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write(switched), script.Read(4), script.Write("pong"), script.ReadEnd(), script.Close()}),
	Takes:   second,
	Play: steps{
		begin(raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4), script.Say("open"), script.ReadEnd(), script.Close())),
		said(client, "open"), reload(nginx), finish(),
	},
	Want: want{
		Replies: []reply{{Status: 101}},
		Ran:     []string{"GET /"},
		Info:    []string{"gracefully shutting down"},
		Access:  []access{{Status: 101, Upstream: "101"}},
		Wire:    []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "client"}},
	},
	Control: control{
		What:  "the old worker may take its time",
		Nginx: "tunnel",
		Play: steps{
			begin(raw("a", script.Write(upgrade), script.ReadResponse(), script.Write("ping"), script.Read(4), script.Say("open"), script.Wait("reloaded"), script.Close())),
			said(client, "open"), reload(nginx), logged("gracefully shutting down"), idle(2 * second), tell(client, "reloaded"), finish(),
		},
	},
})
