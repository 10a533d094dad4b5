package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "body-lost-in-retry",
	Title: "proxy_request_buffering off: nginx may send the POST again, but has kept no body to send",
	Why: `The back end closes a kept connection with the POST on it not read to its end: RST. The work was surely not
begun, and proxy_next_upstream has non_idempotent, so a second try is allowed and wanted. But with
proxy_request_buffering off nginx passes the body on as it comes and keeps no copy: as soon as a byte of the request has
been sent there is no second try, whatever proxy_next_upstream says. "recv() failed (104: Connection reset by peer)",
502. Only a body that was there whole when nginx first read of it is kept: so small requests are sent again and big
ones are not.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_request_buffering",
		"https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_next_upstream"},

	Client:  "raw",
	Nginx:   "retry-non-idempotent-unbuffered",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.ReadHead(), script.Say("head"), script.Read(5), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{
		raw("a", script.Write(getTest), script.ReadResponse()), quiet(),
		begin(raw("a", script.Write(postHead(10)+"half"), script.Wait("rest"), script.Write(", half"), script.ReadResponse())),
		said(backend, "head"), tell(client, "rest"), finish(),
	},
	Want: bodyLostInRetry,
	// nginx's kernel may have sent the rest again by then, which meets the RST.
	Or: []want{and(bodyLostInRetry, reset{From: backend, To: nginx, Kind: "no-connection"})},
	Control: control{
		What: "nginx keeps the body", Nginx: "retry-non-idempotent",
		Play: steps{
			raw("a", script.Write(getTest), script.ReadResponse()), quiet(),
			begin(raw("a", script.Write(postHead(10)+"half"), script.Wait("rest"), script.Write(", half"), script.ReadResponse())),
			quiet(), tell(client, "rest"), finish(),
		},
	},
})

var bodyLostInRetry = want{
	Replies:  []reply{{Status: 200, Conn: 1}, {Status: 502, Conn: 1}},
	Ran:      []string{"GET /"},
	ErrorLog: []string{"recv() failed (104: Connection reset by peer) while reading response header from upstream"},
	Access:   []access{{Status: 200, Upstream: "200"}, {Status: 502, Upstream: "502"}},
	Wire: slices.Concat(exchange(nginx, backend), []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "R."},
		{From: nginx, To: client, Flags: "P."}}),
	Resets: []reset{{From: backend, To: nginx, Kind: "abort"}},
	Ends:   []end{{Client: nginx, Server: backend, Cause: "aborted"}},
}
