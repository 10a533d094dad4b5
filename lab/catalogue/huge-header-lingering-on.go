package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "huge-header-lingering-on",
	Title: "lingering_close on: the 400 for a header that is too large is followed by FIN, not by RST",
	Why: `A line of the request's head is longer than a buffer of large_client_header_buffers, 8 kB, and nginx answers 400, as
in huge-header-lingering-off. By lingering_close on, its default, it sends FIN then and goes on reading what the
client sends, throwing it away: no RST, and the client reads the answer and the end in peace. (The worker is stopped
until all has come; 414-uri-too-long says why.)`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#lingering_close", "RFC 2525, 2.17"},

	Fixes:  "huge-header-lingering-off",
	Client: "raw",
	Nginx:  "lingering-on",
	Play: steps{logged("start worker process "), signal(nginx, "STOP", scenario.Workers),
		begin(raw("c", script.Write("GET /test HTTP/1.1\r\nHost: test.foo.com\r\nX-Big: ").Filled(12000), script.Wait("more"),
			script.Fill(100), script.ReadResponse(), script.ReadEnd(), script.Close())), quiet(),
		signal(nginx, "CONT", scenario.Workers), await(nginx, client, "P."), quiet(), tell(client, "more")},
	Want: want{
		Replies: []reply{{Status: 400}},
		Info:    []string{"client sent too long header line"},
		Access:  []access{{Status: 400}},
		Wire: []segment{{From: client, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."},
			{From: nginx, To: client, Flags: "F."}, {From: client, To: nginx, Flags: "P."}, {From: client, To: nginx, Flags: "F."}},
	},
	Control: control{
		What:  "lingering_close is off",
		Nginx: "lingering-off",
	},
})
