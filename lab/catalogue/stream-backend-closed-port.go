package catalogue

import (
	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

var _ = add(scenario.Scenario{
	ID:    "stream-backend-closed-port",
	Title: "stream {} and a back end that nobody listens at: the client is connected, and cut off",
	Why: `The client's handshake is with nginx, so it is connected before nginx has even tried the back end. There its SYN is
refused, RST: "connect() failed (111: Connection refused) while connecting to upstream". stream {} has no 502 to send: it
can only close the client's connection. This client waits for the server to speak first, as those of MySQL and SMTP
do, nothing of it is unread, and it sees FIN: an end without a word, not "connection refused". One that has spoken
already sees RST (stream-connect-timeout).`,
	Refs:  []string{"https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html", "RFC 9293, 3.10.7.1", "RFC 2525, 2.17"},
	Looks: scenario.SymptomEOF,

	Client:  "raw",
	Nginx:   "stream",
	Backend: "scripted",
	Play:    steps{kill(backend), raw("a", script.ReadEnd(), script.Close())},
	Want: want{
		Replies:  []reply{{}},
		ErrorLog: []string{"connect() failed (111: Connection refused) while connecting to upstream"},
		Access:   []access{{Status: 502}},
		Wire: []segment{{From: client, To: nginx, Flags: "S"}, {From: nginx, To: backend, Flags: "S"}, {From: backend, To: nginx, Flags: "R."},
			{From: nginx, To: client, Flags: "F."}},
		Resets: []reset{{From: backend, To: nginx, Kind: "to-syn"}},
		Ends:   []end{{Client: client, Server: nginx, Cause: "closed", ClosedBy: "server"}, {Client: nginx, Server: backend, Cause: "refused"}},
	},
	Control: control{
		What: "the back end is alive, and the client leaves",
		Play: steps{raw("a", script.Write("hello"), script.Close())},
	},
})
