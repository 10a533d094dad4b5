package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "h2-upstream-dies-mid-body",
	Title: "HTTP/2: the back end dies in the middle of an answer, and the client is told so: RST_STREAM",
	Why: `The back end has promised 100000 bytes, sends 30000 and closes. In HTTP/1.1 nginx can only close the client's
connection too. In HTTP/2 it ends the one stream, with RST_STREAM and INTERNAL_ERROR: the client knows that the
answer is not whole, even where it had no length, and the connection lives on: the next request goes out on it.`,
	Refs: []string{"RFC 9113, 6.4", "RFC 9113, 7", "https://nginx.org/en/docs/http/ngx_http_v2_module.html"},

	Options: scenario.Options{HTTP2: scenario.On},
	Nginx:   "http2",
	Backend: "scripted",
	Server: serve(
		ops{script.ReadRequest(), script.Write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").Filled(30_000), script.Close()},
		ops{script.ReadRequest(), script.Answer(200, "ok"), script.Again()}),
	Play: steps{get("/test"), get("/test")},
	Want: want{
		Replies: []reply{
			{Status: 200, Class: "other", Text: []string{"stream error: stream ID 1; INTERNAL_ERROR; received from peer"}, Conn: 1},
			{Status: 200, Conn: 1},
		},
		Ran:      []string{"GET /", "GET /"},
		ErrorLog: []string{"upstream prematurely closed connection while reading upstream"},
		Access:   []access{{Status: 200, Upstream: "200"}, {Status: 200, Upstream: "200"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "open"}, {Client: nginx, Server: backend, Cause: "truncated"}, {Client: nginx, Server: backend, Cause: "open"}},
	},
	Control: control{
		What:   "the back end sends what it has promised",
		Server: &script.Server{},
	},
})
