package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "early-413-fixed-by-lingering",
	Title: "413, shutdown, and the rest of the body read: the 413 arrives",
	Why: `The cure of early-413, and what nginx itself does to its clients (lingering_close): after the answer the back
end shuts down only its sending side, and goes on reading and throwing away until nginx closes. There is a FIN but
never an RST, nginx's write succeeds, and then nginx reads what came before it: 413. An HTTP server's library has to
do this: Go's net/http reads on for a while, many others do not.`,
	Refs: []string{"RFC 9112, 9.6", "https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close", "shutdown(2)"},

	Fixes:   "early-413",
	Client:  "raw",
	Nginx:   "request-buffering-off",
	Backend: "scripted",
	Server: serve(ops{script.ReadHead(), script.Read(1), script.Say("head"), script.Wait("answer"),
		script.Answer(413, "too big"), script.Shut(), script.Say("closed"), script.ReadEnd(), script.Close()}),
	Play: steps{
		begin(raw("upload", script.Write(postHead(2000)).Filled(1000), script.Wait("more"), script.Fill(1000), script.Say("sent"), script.ReadResponse())),
		said(backend, "head"), quiet(), signal(nginx, "STOP", scenario.Workers),
		tell(client, "more"), said(client, "sent"), quiet(),
		tell(backend, "answer"), said(backend, "closed"), quiet(),
		signal(nginx, "CONT", scenario.Workers), finish(),
	},
	Want: want{
		Replies: []reply{{Status: 413, Body: "too big"}},
		Access:  []access{{Status: 413, Upstream: "413"}},
		Wire: []segment{{From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "F."},
			{From: nginx, To: backend, Flags: "P."}, {From: nginx, To: backend, Flags: "F."}},
	},
	Control: control{
		What: "the back end closes at once",
		Server: serve(ops{script.ReadHead(), script.Read(1), script.Say("head"), script.Wait("answer"),
			script.Answer(413, "too big"), script.Close(), script.Say("closed")}),
	},
})
