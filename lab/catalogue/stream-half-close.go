package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var streamHalfClose = add(scenario.Scenario{
	ID:    "stream-half-close",
	Title: "stream {} closes both ways at the first FIN: what the other side still sends meets RST",
	Why: `The back end has said all that it has to say and closes its writing side only, shutdown(SHUT_WR); it still reads. By
itself stream {} takes the first FIN for the end of the session and closes both connections. The client reads the
end and goes on sending, as TCP allows: nginx's kernel answers with RST, and the next write says "broken pipe".
Nothing is in the log above info.`,
	Refs: []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_half_close", "RFC 9293, 3.6"},

	Client:  "raw",
	Nginx:   "stream",
	Backend: "scripted",
	Server:  serve(ops{script.Read(5), script.Write("world"), script.Wait("close"), script.Shut(), script.ReadEnd(), script.Close()}),
	Play: steps{
		begin(raw("a", script.Write("hello"), script.Read(5), script.ReadEnd(), script.Write("more"))), quiet(), idle(2 * second),
		tell(backend, "close"), finish(), quiet(),
		raw("a", script.Write("rest"), script.Close()),
	},
	Want: want{
		Replies: []reply{{}, {Class: "reset", Text: []string{"write: broken pipe"}}},
		Access:  []access{{Status: 200}},
		Wire: []segment{
			{From: backend, To: nginx, Flags: "F."}, {From: nginx, To: client, Flags: "F."},
			{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "R"},
		},
		Resets: []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "closed", ClosedBy: "server"}},
	},
	Control: control{What: "each side may end for itself", Nginx: "stream-half-close"},
})
