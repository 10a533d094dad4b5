package search

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/scenario"
)

const (
	recv104    = "recv() failed (104: Connection reset by peer) while reading response header from upstream"
	connect111 = "connect() failed (111: Connection refused) while connecting to upstream"
	timed110   = "upstream timed out (110: Connection timed out) while connecting to upstream"
	hungUp     = "upstream prematurely closed connection while reading response header from upstream"
)

func of(id, why string, w scenario.Want) scenario.Scenario {
	return scenario.Scenario{ID: id, Why: why, Want: w, Play: []scenario.Step{scenario.Get("/")}}
}

func fails(status int, line string) scenario.Want {
	return scenario.Want{Replies: []scenario.Reply{{Status: status}}, ErrorLog: []string{line},
		Access: []scenario.Access{{Status: status, Upstream: "502"}}}
}

func client(class string, text ...string) scenario.Want {
	return scenario.Want{Replies: []scenario.Reply{{Class: class, Text: text}}}
}

var all = []scenario.Scenario{
	of("dead", "Nobody listens.", fails(502, connect111)),
	of("unread", "The request is unread. Its kernel says so.", fails(502, recv104)),
	of("hangs-up", "The back end closes.", fails(502, hungUp)),
	of("silent", "Nothing comes back: see Connection reset for another.", fails(504, timed110)),
	of("closed-port", "No socket listens.", client("refused")),
	of("reset-by-nginx", "nginx resets.", client("reset")),
	of("return-444", "nginx hangs up.", client("eof")),
	of("stale", "The pool keeps it.", client("eof", "java.io.IOException: unexpected end of stream on Connection{test.foo.com:80, proxy=DIRECT hostAddress=test.foo.com/")),
	of("cut", "Half of it comes.", scenario.Want{Replies: []scenario.Reply{{Status: 200, Class: "eof"}}}),
	of("slow", "The client has no patience.", scenario.Want{Replies: []scenario.Reply{{Class: "timeout"}}, Access: []scenario.Access{{Status: 499}}}),
	of("healed", "nginx tries again.", scenario.Want{Access: []scenario.Access{{Status: 200, Upstream: "502, 200"}},
		Sockets: []scenario.Socket{{Before: 1, Host: "client", State: "CLOSE-WAIT"}, {Before: 1, Host: "nginx", State: "FIN-WAIT-2"}},
		Resets:  []scenario.Reset{{From: "backend", To: "nginx", Kind: "to-data-after-close"}},
		Ends:    []scenario.End{{Client: "nginx", Server: "backend", Cause: "stale-fin-lost"}}}),
	of("told-at-info", "Half a head.", scenario.Want{Info: []string{"client timed out (110: Connection timed out) while reading client request headers"}}),
	of("no-socket", "Not that file.", scenario.Want{ErrorLog: []string{"connect() to unix:/run/other.sock failed (2: No such file or directory) while connecting to upstream"}}),
	{ID: "from-1.29", Play: []scenario.Step{scenario.Get("/")}, Since: []scenario.Since{{Version: "1.29.7", Want: fails(500, "no live upstreams while connecting to upstream")}}},
}

// TestFind has what an engineer would paste, and which scenarios he must get,
// the best first.
func TestFind(t *testing.T) {
	nginx := func(message string) string {
		return `2026/01/02 03:04:05 [error] 7#7: *1 ` + message + `, client: 10.0.0.1, server: shop.example, request: "GET / HTTP/1.1", upstream: "http://10.0.0.2:8080/", host: "shop.example"`
	}
	for text, want := range map[string][]string{
		// nginx's error log, whole and in part.
		nginx(connect111):          {"dead"},
		nginx(recv104):             {"unread"},
		nginx(hungUp):              {"hangs-up"},
		nginx(timed110):            {"silent"},
		"104: Connection reset":    {"unread", "reset-by-nginx"}, // the log has all of it, the client two words
		"(111: Connection refused": {"dead", "closed-port"},
		"prematurely clos":         {"hangs-up"},
		nginx("recv() failed (104: Connection reset by peer) while sending request to upstream"): {"unread", "reset-by-nginx"},

		// Clients of many languages.
		"java.io.IOException: unexpected end of stream on Connection{shop.example:443, proxy=DIRECT hostAddress=shop.example/10.1.2.3:443 cipherSuite=TLS_AES_128_GCM_SHA256 protocol=http/1.1}\n\tat okhttp3.internal.http1.Http1Codec.readResponseHeaders(Http1Codec.java:208)": {"stale", "return-444", "cut"},
		"Error: read ECONNRESET\n    at TCP.onStreamRead (node:internal/stream_base_commons:217:20)":             {"reset-by-nginx"},
		"Error: socket hang up\n    at Socket.socketOnEnd (node:_http_client:524:23) {\n  code: 'ECONNRESET'\n}": {"return-444", "stale", "cut", "reset-by-nginx"},
		`Get "http://shop.example/": EOF`: {"return-444", "stale", "cut"},
		"EOF":                             {"return-444", "stale", "cut"},
		"unexpected EOF":                  {"cut", "return-444", "stale"},
		"read tcp 10.0.0.1:5->10.0.0.2:80: read: connection reset by peer":                             {"reset-by-nginx"},
		"('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))": {"return-444", "stale", "cut"},
		"curl: (7) Failed to connect to shop.example port 81 after 0 ms: Couldn't connect to server":   {"closed-port"},
		"context deadline exceeded (Client.Timeout exceeded while awaiting headers)":                   {"slow"},

		// The access log, ss, packets, causes.
		"499": {"slow"},
		`10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET / HTTP/1.1" 499 0 "-" "curl/8"`: {"slow"},
		`"status":"504","upstream_status":"504"`:                                        {"silent"},
		`"upstream_status":"502, 200"`:                                                  {"healed", "dead", "unread", "hangs-up", "silent", "from-1.29"},
		"504 Gateway Time-out":                                                          {"silent"},
		"Bad Gateway":                                                                   {"dead", "unread", "hangs-up"},
		"CLOSE_WAIT":                                                                    {"healed"},
		"FIN_WAIT2":                                                                     {"healed"},
		"to-data-after-close":                                                           {"healed"},
		"stale-fin-lost":                                                                {"healed"},
		"lost answer":                                                                   {"cut"},
		"no live upstreams":                                                             {"from-1.29"},
		nginx("client timed out (110: Connection timed out) while reading client request headers"): {"told-at-info"},
		"connect() to unix:/srv/app.sock failed (2: No such file or directory)":                    {"no-socket"},
		`Get "https://shop.example/": net/http: TLS handshake timeout`:                             {"slow"},

		// Prose, and words that do not stand together.
		"patience":        {"slow"},
		"patience client": {"slow"},
		"pool":            {"stale"},

		"the moon": nil,
		"":         nil,
		" ... ":    nil,
	} {
		var got []string
		for _, h := range Find(text, all) {
			got = append(got, h.ID)
		}
		assert.Equal(t, want, got, text)
	}
}

func TestFindSaysWhere(t *testing.T) {
	hits := Find("104: connection reset", all)
	require.NotEmpty(t, hits)
	h := hits[0]
	assert.Equal(t, "error.log", h.Where)
	assert.Equal(t, recv104, h.Line)
	assert.Equal(t, "104: Connection reset", h.Line[h.From:h.To])
	assert.Equal(t, `reset ("Connection reset")`, hits[1].Line)

	h = Find("nobody", all)[0]
	assert.Equal(t, "why", h.Where)
	assert.Equal(t, "Nobody listens.", h.Line)
}

func FuzzFind(f *testing.F) {
	f.Add(recv104)
	f.Add("\xff…499")
	f.Fuzz(func(t *testing.T, text string) {
		for _, h := range Find(text, all) {
			_ = h.Line[h.From:h.To]
			if h.Line == "" {
				t.Fatalf("%q found %s in nothing", text, h.ID)
			}
		}
	})
}
