package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "tunnel-shutdown-timeout-fixed-by-longer",
	Title: "worker_shutdown_timeout longer than the tunnels live: the message gets through, and no old worker stays for ever",
	Why: `worker_shutdown_timeout is 1h, more than this tunnel has left to live. After the reload the old worker goes on passing
on what comes; when its last client has left, it exits at once and does not wait for the hour. Only who stays longer
is cut off. A client of WebSocket must be able to come back anyway: the longer the timeout, the fewer have to at once,
and the more old workers there are in the meantime: one for each reload of the last hour.`,
	Refs: []string{"https://nginx.org/en/docs/ngx_core_module.html#worker_shutdown_timeout", "https://nginx.org/en/docs/http/websocket.html"},

	Fixes:   tunnelShutdownTimeout.ID,
	Client:  "raw",
	Nginx:   "tunnel-shutdown-timeout-1h",
	Backend: "scripted",
	Server:  tunnelShutdownTimeout.Server,
	Play:    tunnelShutdownTimeout.Play,
	Want:    outlivesReload,
	Control: control{What: "the old worker has 1 s", Nginx: tunnelShutdownTimeout.Nginx},
})
