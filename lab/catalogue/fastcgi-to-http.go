package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "fastcgi-to-http",
	Title: "fastcgi_pass to a back end that speaks HTTP/1.1: 502, and a strange number in the log",
	Why: `fastcgi_pass sends records of FastCGI, and the back end answers "HTTP/1.1 400 ...". The first byte of a record is
the version of the protocol, and "H" is 72: "upstream sent unsupported FastCGI protocol version: 72". So says an
nginx that talks to a web server where php-fpm should be.`,
	Refs: []string{"https://nginx.org/en/docs/http/ngx_http_fastcgi_module.html", "https://fastcgi-archives.github.io/FastCGI_Specification.html"},

	Nginx:   "fastcgi",
	Backend: "scripted",
	Server:  serve(ops{script.Read(8), script.Answer(400, "no HTTP/1.1"), script.ReadEnd(), script.Close()}),
	Play:    steps{get("/test")},
	Want: want{
		Replies:  []reply{{Status: 502}},
		ErrorLog: []string{"upstream sent unsupported FastCGI protocol version: 72 while reading response header from upstream"},
		Access:   []access{{Status: 502, Upstream: "502"}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "P."}, {From: backend, To: nginx, Flags: "P."}, {From: nginx, To: backend, Flags: "F."}},
	},
	Control: control{
		What:   "the back end closes without a word",
		Server: serve(ops{script.Read(8), script.Reset()}),
	},
})
