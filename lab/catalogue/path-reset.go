package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "path-reset",
	Title: "a box between resets the connection in the back end's name: 502, and the order runs all the same",
	Why: `The back end has the request and works on it. A box between the two (an intrusion prevention system, a load
balancer that gives flows up, a censor) wants the connection gone and sends nginx an RST in the back end's name, with
the sequence number that nginx expects next, so that its kernel must believe it (RFC 9293, 3.10.7.4; any other in the
window it would ask about, RFC 5961, 3). "recv() failed (104: Connection reset by peer) while reading response header from
upstream", 502. The back end knows of nothing: it finishes and answers, and nginx's kernel, which has no such
connection any more, sends it RST in turn. That it spoke on after "its" RST, and that its kernel has sent none, is what
tells the forgery.`,
	Refs: []string{"RFC 9293, 3.10.7.4", "RFC 5961, 3", "RFC 3360"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Say("asked"), script.Wait("answer"), script.Answer(200, "done\n"), script.Again()}),
	Play: steps{begin(post("/test", "order")), said(backend, "asked"), quiet(), forge(backend, nginx), finish(),
		tell(backend, "answer"), await(nginx, backend, "R")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{"POST /"},
		ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire: []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R."},
			{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "R"}},
		Resets: []reset{{From: backend, To: nginx, Kind: "forged"}, {From: nginx, To: backend}},
		Ends:   []end{{Client: nginx, Server: backend, Cause: "rejected"}},
	},
	Control: control{
		What: "no box interferes",
		Play: steps{begin(post("/test", "order")), said(backend, "asked"), quiet(), tell(backend, "answer"), finish()},
	},
})
