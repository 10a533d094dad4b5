package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "garbage-status-line",
	Title: "the back end does not speak HTTP: no 502, nginx hands the bytes on and logs status 009",
	Why: `What is no status line may be HTTP/0.9, where a response was its body and nothing else. So nginx does not
answer 502: it logs "upstream sent no valid HTTP/1.0 header" and passes the bytes on as they are, without a head of
its own, with 009 in access.log and 200 as $upstream_status. The client reads them as a status line and says
"malformed HTTP response". A wrong port in proxy_pass (SSH, SMTP, a database that greets) ends here.`,
	Refs: []string{"ngx_http_proxy_process_status_line, src/http/modules/ngx_http_proxy_module.c", "RFC 9112, 2.2"},

	Backend: "scripted",
	Server:  serve(ops{script.ReadRequest(), script.Write("SSH-2.0-OpenSSH_10.0\r\n"), script.Close()}),
	Play:    steps{get("/test")},
	Want: want{
		Replies:  []reply{{Class: "other", Text: []string{`malformed HTTP response "SSH-2.0-OpenSSH_10.0"`}}},
		Ran:      []string{"GET /"},
		ErrorLog: []string{"upstream sent no valid HTTP/1.0 header while reading response header from upstream"},
		Access:   []access{{Status: 9, Upstream: "200"}},
		Wire:     []segment{{From: backend, To: nginx, Flags: "P."}, {From: nginx, To: client, Flags: "P."}, {From: client, To: nginx, Flags: "F."}},
		Ends: []end{
			{Client: nginx, Server: backend, Cause: "unexplained", ClosedBy: "server"},
			{Client: client, Server: nginx, Cause: "closed", ClosedBy: "client"},
		},
	},
	Control: control{
		What:   "the back end speaks HTTP",
		Server: serve(ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\n\r\n"), script.Close()}),
	},
})
