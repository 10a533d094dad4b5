package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
)

var _ = add(scenario.Scenario{
	ID:    "worker-killed-idle",
	Title: "a worker of nginx is killed: its idle connections are closed, and the next request dies on one",
	Why: `When a worker dies, its kernel closes all of its connections in order, the idle ones too: FIN, long before
keepalive_timeout. The master starts another worker, but that one knows nothing of them. A client that does not look,
here OkHttp without a retry, sends its next request on such a connection and meets RST. It is stale-idle for all clients
of the worker at the same moment, with one [alert] in nginx's log and nothing else.`,
	Refs: []string{"RFC 9293, 3.10.7.4", "RFC 9112, 9.3.1", "https://nginx.org/en/docs/control.html"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.Off},
	Play:    workerKilled,
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Class: "eof", Text: []string{"unexpected end of stream"}, Conn: 1}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"exited on signal 9"},
		Wire:     slices.Concat(exchange(client, nginx), staleRequest(client, nginx)),
		Resets:   []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}},
		Sockets:  []socket{{Before: 2, Host: nginx, State: "FIN-WAIT-2"}, {Before: 2, Host: client, State: "CLOSE-WAIT"}},
	},
	Control: control{
		What: "nobody is killed",
		Play: steps{get("/test"), quiet(), get("/test")},
	},
})

// workerKilled is a worker that is killed when it has logged its last answer.
var workerKilled = steps{get("/test"), logged(`"status":"200"`), signal(nginx, "KILL", scenario.Workers), await(nginx, client, "F."), quiet(), get("/test")}
