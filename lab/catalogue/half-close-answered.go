package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "half-close-answered",
	Title: "proxy_ignore_client_abort on: a client that has closed its sending side gets its answer",
	Why: `nginx cannot tell a half-close from a close: both are a FIN. With proxy_ignore_client_abort on it does not look while
it waits for the back end, so the client of half-close gets its answer; and a client that has really gone costs the back
end its work (499-ignored). nginx reads the FIN after the answer and closes in order.`,
	Refs: []string{"RFC 9293, 3.6", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_client_abort"},

	Fixes:   "half-close",
	Client:  "raw",
	Nginx:   "ignore-client-abort",
	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("working"), script.Wait("done"), script.Answer(200, "done\n")}),
	Play: steps{begin(raw("c", script.Write(getTest), script.Wait("shut"), script.Shut(), script.ReadResponse(), script.Close())),
		said(backend, "working"), tell(client, "shut"), await(client, nginx, "F."), quiet(), tell(backend, "done")},
	Want: want{
		Ran:    []string{"GET /"},
		Access: []access{{Status: 200, Upstream: "200"}},
		Wire: []segment{{From: client, To: nginx, Flags: "F."}, {From: backend, To: nginx, Flags: "P."},
			{From: nginx, To: client, Flags: "P."}, {From: nginx, To: client, Flags: "F."}},
	},
	Control: control{What: "nginx looks at the client", Nginx: "baseline"},
})
