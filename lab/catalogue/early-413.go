package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "early-413",
	Title: "413 and close() while the body is still coming: RST, nginx says 502, and nobody learns why",
	Why: `The back end reads the head, sees that the body is too big, answers 413 and closes. Part of the body lies
unread in its socket, so close() sends RST after the answer. The answer has arrived at nginx; but nginx has more of the
body to send, and writes before it reads. The write meets the RST: "writev() failed (104: Connection reset by peer)
while sending request to upstream", and 502 with the 413 unread in the socket. Who comes first, the write or the
read, is chance in real life: under load the same upload gets now 413, now 502. Here nginx is stopped (SIGSTOP) until
the next piece of the body, the 413 and the RST have come, in this order.`,
	Refs: []string{"RFC 9112, 9.6", "RFC 2525, 2.17", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_request_buffering"},

	Client:  "raw",
	Nginx:   "request-buffering-off",
	Backend: "scripted",
	Server: serve(ops{script.ReadHead(), script.Read(1), script.Say("head"), script.Wait("answer"),
		script.Answer(413, "too big"), script.Close(), script.Say("closed")}),
	Play: steps{
		begin(raw("upload", script.Write(postHead(2000)).Filled(1000), script.Wait("more"), script.Fill(1000), script.Say("sent"), script.ReadResponse())),
		said(backend, "head"), quiet(), signal(nginx, "STOP", scenario.Workers),
		tell(client, "more"), said(client, "sent"), quiet(),
		tell(backend, "answer"), said(backend, "closed"), quiet(),
		signal(nginx, "CONT", scenario.Workers), finish(),
	},
	Want: want{
		Replies:  []reply{{Status: 502}},
		Ran:      []string{},
		ErrorLog: []string{"writev() failed (104: Connection reset by peer) while sending request to upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: client, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}, {From: backend, To: nginx, Flags: "R."}},
		Resets:   []reset{{From: backend, To: nginx, Kind: "abort"}},
		Ends:     []end{{Client: nginx, Server: backend, Cause: "aborted"}},
	},
	Control: control{
		What: "the next piece of the body comes after nginx has read the answer",
		Play: steps{
			begin(raw("upload", script.Write(postHead(2000)).Filled(1000), script.Wait("more"), script.Fill(1000), script.Say("sent"), script.ReadResponse())),
			said(backend, "head"), tell(backend, "answer"), said(backend, "closed"), quiet(), tell(client, "more"), finish(),
		},
	},
})
