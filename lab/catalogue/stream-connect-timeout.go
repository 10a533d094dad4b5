package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "stream-connect-timeout",
	Title: "stream {} and a back end that does not answer: RST for a client that has spoken already",
	Why: `The client is connected to nginx and sends its first words. nginx does not read them before it has a connection to
the back end, and there its SYN stays unanswered, for proxy_connect_timeout, 60 s by itself and here 1.5 s: "upstream
timed out (110: Connection timed out)". stream {} closes; the client's words lie unread in the socket, so that is an
abort: RST, "connection reset by peer". A client that had waited for the server to speak first would see FIN
(stream-backend-closed-port).`,
	Refs:  []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_connect_timeout", "RFC 2525, 2.17"},
	Looks: scenario.SymptomReset,

	Client:  "raw",
	Nginx:   "stream-connect-timeout",
	Backend: "scripted",
	Takes:   2 * second,
	Play:    steps{filter(backend, "input tcp dport 8080 drop"), raw("a", script.Write("hello"), script.ReadEnd())},
	Want: want{
		Replies:  []reply{{Class: "reset", Text: []string{"read: connection reset by peer"}}},
		ErrorLog: []string{"upstream timed out (110: Connection timed out) while connecting to upstream"},
		Access:   []access{{Status: 502}},
		Wire:     []segment{{From: nginx, To: backend, Flags: "S"}, {From: nginx, To: backend, Flags: "S"}, {From: nginx, To: client, Flags: "R."}},
		Resets:   []reset{{From: nginx, To: client, Kind: "abort"}},
		Ends:     []end{{Client: client, Server: nginx, Cause: "aborted"}, {Client: nginx, Server: backend, Cause: "unanswered"}},
	},
	Control: control{
		What: "the client waits for the server to speak first",
		Play: steps{filter(backend, "input tcp dport 8080 drop"), raw("a", script.ReadEnd())},
	},
})
