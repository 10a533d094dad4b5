package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "early-answer-lingering-off",
	Title: "the back end answers before the upload is over, and nginx resets the client under it",
	Why: `The client uploads 300 kB, which nginx passes on as they come (proxy_request_buffering off). The back end has seen
enough after the head and answers 413. nginx passes the answer on, closes the connection to the back end, and with
lingering_close off the one to the client: but there lie bytes of the upload that nobody has read, so the kernel
makes RST of that close (RFC 2525, 2.17). The client, still writing, gets ECONNRESET. The 413 came before the RST
and can be read even then, on Linux; a client that gives up at the error of its write never sees it.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close",
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_request_buffering", "RFC 9112, 9.6", "RFC 2525, 2.17"},

	Client:  "raw",
	Nginx:   "lingering-off-large",
	Backend: "scripted",
	Server:  answersEarly,
	Play:    answeredEarly,
	Want: want{
		Replies: []reply{{Status: 413, Class: "reset"}},
		Access:  []access{{Status: 413, Upstream: "413"}},
		Wire: []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "R."}},
		Resets: []reset{{From: nginx, To: client, Kind: "abort"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "aborted"}},
	},
	Control: control{
		What:  "lingering_close stays on",
		Nginx: "lingering-on-large",
	},
})

// answeredEarly is an upload that is answered when half of it has left. That is more
// than nginx can pass on to a back end that does not read: some of it waits unread.
var answeredEarly = steps{begin(raw("c", script.Write(postHead(300001)), script.Fill(150000), script.Say("half"), script.Fill(150000), script.Wait("more"), script.Fill(1),
	script.ReadResponse(), script.ReadEnd(), script.Close())),
	said(backend, "asked"), said(client, "half"), quiet(), tell(backend, "answer"), await(nginx, client, "P."), quiet(), tell(client, "more"), finish(), tell(backend, "drain")}

// answersEarly is a back end that has seen enough after the head.
var answersEarly = &script.Server{Buffer: 4096, Conns: []ops{{script.ReadHead(), script.Say("asked"), script.Wait("answer"), script.Answer(413, "too large\n"),
	script.Wait("drain"), script.ReadEnd(), script.Close()}}}
