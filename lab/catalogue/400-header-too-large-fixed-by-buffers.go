package catalogue

import "rstlab/lab/scenario"

var _ = add(scenario.Scenario{
	ID:    "400-header-too-large-fixed-by-buffers",
	Title: "large_client_header_buffers 4 16k: the same header fits",
	Why: `The line of 12 kB outgrows client_header_buffer_size, 1 kB, and nginx takes one of large_client_header_buffers, which
are 16 kB now: the line fits, the request goes to the back end and is answered. A request may take four such buffers,
and a connection only while its head is read: the price is small. What is behind must take it too: Node has a limit of
16 kB for a whole head. A cookie that grows does not stop at 16 kB: the better fix is a smaller cookie.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers",
		"https://nginx.org/en/docs/http/ngx_http_core_module.html#client_header_buffer_size"},

	Fixes:  headerTooLarge400.ID,
	Client: "raw",
	Nginx:  "client-headers-16k",
	Play:   headerTooLarge400.Play,
	Want: want{
		Replies: []reply{{Status: 200}},
		Ran:     []string{"GET /"},
		Access:  []access{{Status: 200, Upstream: "200"}},
	},
	Control: control{What: "a line may have 8 kB", Nginx: "baseline"},
})
