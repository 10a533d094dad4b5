package catalogue

import (
	"slices"

	"rstlab/lab/scenario"
	"rstlab/lab/script"
)

// asBrowser is a request with the fields that browsers send.
const asBrowser = "GET /test HTTP/1.1\r\nHost: test.foo.com\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\nAccept-Language: en\r\n\r\n"

var _ = add(scenario.Scenario{
	ID:    "stale-idle-tls",
	Title: "stale-idle over TLS: nginx says good-bye twice, and a client that does not look hears neither",
	Why: `nginx closes an idle connection, here because of a reload. Over TLS it sends close_notify first and then FIN: two
announcements, and both wait in the client's kernel until someone reads. This client writes its next request without a
look. nginx's socket is in FIN_WAIT2 and has no owner, so its kernel answers with RST, as without TLS. The client then
reads what had come first, the close_notify, and its TLS library calls that EOF. A capture shows the same FIN, data and
RST as in stale-idle, though it cannot read the data.`,
	Refs: []string{"RFC 8446, 6.1", "RFC 9112, 9.8", "RFC 9293, 3.10.7.4"},

	Client: "raw",
	Nginx:  "tls",
	Play: steps{raw("c", script.TLS(), script.Write(asBrowser), script.ReadResponse()).At("test.foo.com:443"), idle(second), reload(nginx), await(nginx, client, "F."), quiet(),
		raw("c", script.Write(asBrowser), script.ReadResponse()).At("test.foo.com:443")},
	Want: want{
		Replies: []reply{{Status: 200, Conn: 1}, {Class: "eof", Conn: 1}},
		Ran:     []string{"GET /"},
		Wire:    slices.Concat(handshake(client, nginx), staleRequest(client, nginx)),
		Resets:  []reset{{From: nginx, To: client, Kind: "to-data-after-close"}},
		Ends:    []end{{Client: client, Server: nginx, Cause: "stale-idle", ClosedBy: "server"}},
		Sockets: []socket{{Before: 2, Host: nginx, State: "FIN-WAIT-2"}, {Before: 2, Host: client, State: "CLOSE-WAIT"}},
	},
	Control: control{
		What: "nginx is not reloaded",
		Play: steps{raw("c", script.TLS(), script.Write(asBrowser), script.ReadResponse()).At("test.foo.com:443"), quiet(),
			raw("c", script.Write(asBrowser), script.ReadResponse()).At("test.foo.com:443")},
	},
})
