package play

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestResponse(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	long := strings.Repeat("0123456789", 30)
	tests := []struct {
		name, text string
		want       Response
		error      string // "": none
		left       string // unread
	}{
		{"length", ok + "Content-Length: 3\r\n\r\nabcd", Response{200, "abc", 3}, "", "d"},
		{"no body", ok + "Content-Length: 0\r\n\r\nH", Response{200, "", 0}, "", "H"},
		{"to the end", ok + "\r\nabc", Response{200, "abc", 3}, "", ""},
		{"1.0 to the end", "HTTP/1.0 404 Not Found\r\n\r\nabc", Response{404, "abc", 3}, "", ""},
		{"no reason", "HTTP/1.1 500\r\nContent-Length: 1\r\n\r\nab", Response{500, "a", 1}, "", "b"},
		{"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1 ; x=y\r\nd\r\n0\r\n\r\nH", Response{200, "abcd", 4}, "", "H"},
		{"chunks, not length", ok + "Content-Length: 1\r\ntransfer-encoding: gzip, Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\nH", Response{200, "0123456789", 10}, "", "H"},
		{"other coding", ok + "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nabc", Response{200, "abc", 3}, "", ""},
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 3\n\nabcd", Response{200, "abc", 3}, "", "d"},
		{"long", ok + "\r\n" + long, Response{200, long[:200], 300}, "", ""},
		{"204", "HTTP/1.1 204 No Content\r\n\r\nH", Response{204, "", 0}, "", "H"},
		{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nH", Response{304, "", 0}, "", "H"},
		{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nab", Response{200, "a", 1}, "", "b"},
		{"101", "HTTP/1.1 101 Switching Protocols\r\n\r\nws", Response{101, "", 0}, "", "ws"},
		{"the same length twice", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", Response{200, "a", 1}, "", ""},

		{"nothing", "", Response{}, "EOF", ""},
		{"half a line", "HTTP/1.1 2", Response{}, "unexpected EOF", ""},
		{"half a head", ok + "Content-Le", Response{}, "unexpected EOF", ""},
		{"a head without its end", ok, Response{}, "unexpected EOF", ""},
		{"only an interim one", "HTTP/1.1 100 Continue\r\n\r\n", Response{}, "EOF", ""},
		{"no body at all", ok + "Content-Length: 3\r\n\r\n", Response{200, "", 0}, "unexpected EOF", ""},
		{"half a body", ok + "Content-Length: 3\r\n\r\nab", Response{200, "ab", 2}, "unexpected EOF", ""},
		{"no chunk", ok + "Transfer-Encoding: chunked\r\n\r\n", Response{200, "", 0}, "unexpected EOF", ""},
		{"half a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nab", Response{200, "ab", 2}, "unexpected EOF", ""},
		{"no last chunk", ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", Response{200, "abc", 3}, "unexpected EOF", ""},
		{"no end of the trailers", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nT: 1\r\n", Response{200, "", 0}, "unexpected EOF", ""},
		{"chunk too long", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", Response{200, "a", 1}, `malformed end of a chunk "bc"`, ""},
		{"no chunk's size", ok + "Transfer-Encoding: chunked\r\n\r\nno chunk\r\n", Response{200, "", 0}, `malformed chunk size "no chunk"`, ""},
		{"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", Response{}, `malformed Content-Length "2"`, "\r\n"},
		{"no length", ok + "Content-Length: -1\r\n\r\n", Response{}, `malformed Content-Length "-1"`, "\r\n"},
		{"no header", ok + "nothing\r\n\r\n", Response{}, `malformed header line "nothing"`, "\r\n"},
		{"no HTTP", "SSH-2.0-OpenSSH_10.0\r\n\r\n", Response{}, `malformed status line "SSH-2.0-OpenSSH_10.0"`, ""},
		{"no status", "HTTP/1.1 abc\r\n\r\n", Response{}, `malformed status line "HTTP/1.1 abc"`, ""},
		{"no end of a line", strings.Repeat("x", longest+1), Response{}, "longer than 1048576 bytes", "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			from := strings.NewReader(tt.text)
			var got Response
			err := got.read(from)
			assert.Equal(t, tt.want, got)
			if tt.error == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, tt.error)
			}
			left, err := io.ReadAll(from)
			require.NoError(t, err)
			assert.Equal(t, tt.left, string(left))
		})
	}
}

func TestRequest(t *testing.T) {
	for text, want := range map[string]string{
		"GET\r\n\r\n":                  `malformed request line "GET"`,
		"GET /\r\n\r\n":                `malformed request line "GET /"`, // HTTP/0.9
		"PRI * HTTP/2.0\r\n\r\nSM":     `malformed request line "PRI * HTTP/2.0"`,
		"POST / HTTP/1.1\r\nA\r\n\r\n": `malformed header line "A"`,
		"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n": "malformed request: its body has no end",
	} {
		_, _, err := readRequest(strings.NewReader(text))
		assert.EqualError(t, err, want)
	}
}

// same says that a message that is whole is read alike whatever follows it, and
// that what follows stays unread.
func same(t *testing.T, data []byte, read func(io.Reader) (any, error)) {
	const next = "\x00next"
	from := bytes.NewReader(data)
	first, err := read(from)
	if err != nil {
		return
	}
	message := data[:len(data)-from.Len()]
	again := bytes.NewReader(append(bytes.Clone(message), next...))
	second, err := read(again)
	if err != nil || again.Len() != len(next) || first != second {
		t.Errorf("%q: %v; with more after it %v, %v, and %d of %d bytes after it unread", message, first, second, err, again.Len(), len(next))
	}
}

func FuzzResponse(f *testing.F) {
	for _, text := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nabc",
		"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n3;x\nabc\n0\nT: 1\n\n",
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: gzip\r\n\r\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got Response
		from := bytes.NewReader(data)
		err := got.read(from)
		if len(got.Body) != min(got.Bytes, kept) || got.Bytes > len(data) || got.Bytes > 0 && got.Status < 200 || err == nil && got.Status == 0 {
			t.Errorf("%+v, %v", got, err)
		}
		if from.Len() > 0 { // its end is not that of the connection
			same(t, data, func(r io.Reader) (any, error) {
				var got Response
				err := got.read(r)
				return got, err
			})
		}
		// Where net/http reads a response too, it is the same response; but in
		// HTTP/1.0 it overlooks Transfer-Encoding, which is faulty there (RFC 9112, 6.1).
		theirs, theirErr := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
		if err != nil || theirErr != nil || theirs.StatusCode < 200 || !theirs.ProtoAtLeast(1, 1) {
			return
		}
		body, theirErr := io.ReadAll(theirs.Body)
		if theirErr == nil && (theirs.StatusCode != got.Status || len(body) != got.Bytes || string(body[:min(len(body), kept)]) != got.Body) {
			t.Errorf("%+v; net/http reads %d %q", got, theirs.StatusCode, body)
		}
	})
}

func FuzzRequest(f *testing.F) {
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: test.foo.com\r\n\r\n",
		"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcd",
		"\r\nPOST /a HTTP/1.0\nTransfer-Encoding: chunked\n\n3;x\nabc\n0\nT: 1\n\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		same(t, data, func(r io.Reader) (any, error) {
			method, url, err := readRequest(r)
			return method + " " + url, err
		})
	})
}
