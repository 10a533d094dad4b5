package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "worker-killed-runs-twice",
	Title: "a worker dies with a POST at the back end, OkHttp sends it again: one order, placed twice",
	Why: `The client sends a POST on a kept connection, nginx passes it on, the back end works on it. Then the worker dies.
The client reads EOF on a connection that had worked before: for OkHttp that is a stale connection, as in
stale-post-okhttp, and with its retry on, the default, it sends the POST again, whatever its method. The next worker
passes it on as well. The caller sees one 200; the back end has run it twice, and access.log has one line of it. From
outside the two failures cannot be told apart: only the server can, by a key in the request.`,
	Refs: []string{"RFC 9110, 9.2.2", "okhttp3.internal.http.RetryAndFollowUpInterceptor", "draft-ietf-httpapi-idempotency-key-header"},

	Client:  "okhttp",
	Options: scenario.Options{Retry: scenario.On},
	Backend: "scripted",
	Server:  diesInSecond,
	Play:    killedInPost,
	Want: want{
		Replies:  []reply{{Status: 200, Conn: 1}, {Status: 200, Conn: 2}},
		Ran:      []string{"GET /", "POST /", "POST /"},
		ErrorLog: []string{"exited on signal 9"},
		Ends: []end{
			{Client: client, Server: nginx, Cause: "no-response", ClosedBy: "server"},
			{Client: nginx, Server: backend, Cause: "abandoned", ClosedBy: "client"},
		},
	},
	Control: control{
		What:   "nobody is killed",
		Server: &script.Server{},
		Play:   steps{get("/test"), post("/test", "order")},
	},
})

// diesInSecond is a back end whose first connection ends while it works on the
// second request.
var diesInSecond = serve(
	ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadRequest(), script.Say("working"), script.ReadEnd(), script.Close()},
	ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()})

var killedInPost = steps{get("/test"), begin(post("/test", "order")), said(backend, "working"), patience, signal(nginx, "KILL", scenario.Workers), finish()}
