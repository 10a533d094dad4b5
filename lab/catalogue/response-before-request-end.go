package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "response-before-request-end",
	Title: "an answer before the request is whole: it arrives, and costs the connections",
	Why: `The back end answers when it has read the head, and goes on reading. nginx, which is still passing the body on
(proxy_request_buffering off), hands the answer to the client at once: it counts as much as one that comes later. But
where a request is not whole nobody can find the next, so neither connection is kept: nginx closes the back end's, sends
FIN to the client behind the answer, and reads and throws away what still comes (lingering_close), so that no RST
hurts the answer. Its line in access.log is written only when that is over.`,
	Refs: []string{"RFC 9112, 9.5 and 9.6", "RFC 9110, 7.5", "https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close"},

	Client:  "raw",
	Nginx:   "request-buffering-off",
	Backend: "scripted",
	Server:  serve(ops{script.ReadHead(), script.Answer(200, "early"), script.ReadEnd(), script.Close()}),
	Play: steps{
		begin(raw("a", script.Write(postHead(10)+"half"), script.ReadResponse(), script.Wait("rest"), script.Write(", half"), script.ReadEnd(), script.Close())),
		await(nginx, client, "F."), tell(client, "rest"), finish(),
	},
	Want: want{
		Replies: []reply{{Status: 200, Body: "early"}},
		Ran:     []string{},
		Access:  []access{{Status: 200, Upstream: "200"}},
		Wire: []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "P."}},
	},
	Control: control{
		What: "the request is whole",
		Play: steps{raw("a", script.Write(postHead(10)+"half, half"), script.ReadResponse())},
	},
})
