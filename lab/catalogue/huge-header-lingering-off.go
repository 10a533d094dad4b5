package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "huge-header-lingering-off",
	Title: "a header that is too large: 400, and RST behind it",
	Why: `A line of the request's head is longer than a buffer of large_client_header_buffers, 8 kB. nginx reads no further
and answers 400 "Request Header Or Cookie Too Large". With lingering_close off it closes then, and since the rest of
the line lies unread in its socket, the kernel sends RST (RFC 2525, 2.17). What the client writes next fails with
ECONNRESET; the 400, which came before the RST, can still be read, on Linux.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close", "RFC 2525, 2.17"},

	Client: "raw",
	Nginx:  "lingering-off",
	Play: steps{begin(raw("c", script.Write("GET /test HTTP/1.1\r\nHost: test.foo.com\r\nX-Big: ").Filled(12000), script.Wait("more"),
		script.Fill(100), script.ReadResponse(), script.ReadEnd(), script.Close())),
		await(nginx, client, "P."), quiet(), tell(client, "more")},
	Want: want{
		Replies: []reply{{Status: 400, Class: "reset"}},
		Info:    []string{"client sent too long header line"},
		Access:  []access{{Status: 400}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "R."}},
		Resets: []reset{{From: nginx, To: client, Kind: "abort"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "aborted"}},
	},
	Control: control{
		What:  "lingering_close stays on",
		Nginx: "lingering-on",
	},
})
