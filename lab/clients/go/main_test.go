package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestClassify(t *testing.T) {
	sys := func(op string, errno syscall.Errno) error {
		return &url.Error{Op: "Get", URL: "http://h/", Err: &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, errno)}}
	}
	get := func(err error) error { return &url.Error{Op: "Get", URL: "http://h/", Err: err} }
	tests := []struct {
		err  error
		want string
	}{
		{sys("read", syscall.ECONNRESET), "reset"},
		{sys("write", syscall.EPIPE), "reset"},
		{sys("read", syscall.ECONNABORTED), "reset"},
		{sys("connect", syscall.ECONNREFUSED), "refused"},
		{sys("connect", syscall.EHOSTUNREACH), "unreachable"},
		{sys("connect", syscall.ENETUNREACH), "unreachable"},
		{sys("connect", syscall.ETIMEDOUT), "timeout"},
		{get(os.ErrDeadlineExceeded), "timeout"},
		{get(context.DeadlineExceeded), "timeout"},
		{get(io.EOF), "eof"},
		{io.ErrUnexpectedEOF, "eof"},
		{fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", io.EOF), "eof"},
		{get(errors.New("http: server closed idle connection")), "eof"},
		{get(errors.New("malformed HTTP response")), "other"},
	}
	for _, tt := range tests {
		if got := classify(tt.err); got != tt.want {
			t.Errorf("classify(%v) = %s, want %s", tt.err, got, tt.want)
		}
	}
}

// play gives the client its options and requests, and returns its replies and what run returned.
func play(t *testing.T, input ...string) ([]reply, error) {
	t.Helper()
	var out strings.Builder
	err := run(strings.NewReader(strings.Join(input, "\n")), &out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var hello ready
	if json.Unmarshal([]byte(lines[0]), &hello) != nil || !hello.Ready || hello.Client != "go" || !strings.HasPrefix(hello.Version, "go1.") {
		t.Errorf("first line: %s", lines[0])
	}
	var replies []reply
	for _, line := range lines[1:] {
		var r reply
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		replies = append(replies, r)
	}
	return replies, err
}

func get(n int, url string) string {
	return fmt.Sprintf(`{"n":%d,"method":"GET","url":%q}`, n, url)
}

func TestKeptConnection(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s%s", r.Method, r.Host, r.Header.Get("K"), body, strings.Repeat(".", 300))
	}))
	defer server.Close()
	replies, err := play(t, `{}`, get(1, server.URL),
		fmt.Sprintf(`{"n":2,"method":"POST","url":%q,"headers":{"K":"V","host":"test.foo.com"},"body":"text"}`, server.URL))
	if err != nil || len(replies) != 2 {
		t.Fatalf("%d replies, %v", len(replies), err)
	}
	for _, r := range replies {
		if r.Status != 200 || r.Error != nil || r.LocalPort == 0 || len(*r.Body) != 200 || *r.Bytes <= 300 {
			t.Errorf("reply %+v", r)
		}
	}
	if replies[0].LocalPort != replies[1].LocalPort {
		t.Errorf("ports %d and %d: the connection was not kept", replies[0].LocalPort, replies[1].LocalPort)
	}
	if want := "POST test.foo.com V text."; !strings.HasPrefix(*replies[1].Body, want) {
		t.Errorf("body %q, want %q first", *replies[1].Body, want)
	}
}

func TestPoolIdle(t *testing.T) {
	closed := make(chan struct{}, 2)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	in, input := io.Pipe()
	out, output := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(in, output)
		in.CloseWithError(err)
		output.CloseWithError(err)
		done <- err
	}()
	replies := json.NewDecoder(out)
	var hello ready
	if err := replies.Decode(&hello); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(input, `{"pool_idle_ms":1}`)
	var ports [2]int
	for i := range ports {
		fmt.Fprintln(input, get(i+1, server.URL))
		var r reply
		if err := replies.Decode(&r); err != nil {
			t.Fatal(err)
		}
		ports[i] = r.LocalPort
		<-closed // the pool gives the connection up, and the server sees it
	}
	input.Close()
	if err := <-done; err != nil || ports[0] == ports[1] {
		t.Errorf("ports %v, %v: want a second connection", ports, err)
	}
}

func TestFailures(t *testing.T) {
	// serve answers every connection's first bytes with text and closes it; where
	// it must hang, not before the test is over.
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	serve := func(text string, hang bool, linger int) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				conn.Read(make([]byte, 4096))
				io.WriteString(conn, text)
				if hang {
					<-over
				}
				conn.(*net.TCPConn).SetLinger(linger)
				conn.Close()
			}
		}()
		return "http://" + l.Addr().String() + "/"
	}
	closed := httptest.NewServer(nil)
	closed.Close()

	tests := []struct {
		name, options, url string
		status             int
		class              string
		connected          bool
	}{
		{"refused", `{}`, closed.URL, 0, "refused", false},
		{"eof", `{"retry":true}`, serve("", false, -1), 0, "eof", true},
		{"reset", `{}`, serve("", false, 0), 0, "reset", true},
		{"timeout", `{"timeout_ms":50}`, serve("", true, -1), 0, "timeout", true},
		{"cut body", `{}`, serve("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", false, -1), 200, "eof", true},
		{"bad gateway", `{}`, serve("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", false, -1), 502, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			replies, err := play(t, tt.options, get(7, tt.url))
			if err != nil || len(replies) != 1 {
				t.Fatalf("%d replies, %v", len(replies), err)
			}
			r := replies[0]
			var class string
			if r.Error != nil {
				class = r.Error.Class
			}
			if r.N != 7 || r.Status != tt.status || class != tt.class || (r.LocalPort != 0) != tt.connected {
				t.Errorf("reply %+v, error %+v", r, r.Error)
			}
			if tt.name == "cut body" && *r.Body != "half" {
				t.Errorf("body %q, want what had come", *r.Body)
			}
		})
	}
}

func TestInput(t *testing.T) {
	tests := []struct {
		input []string
		code  int
		text  string
	}{
		{[]string{"retry"}, 2, "not a JSON object: retry"},
		{[]string{"null"}, 2, "not a JSON object: null"},
		{[]string{`{"retry":"no"}`}, 2, "bool"},
		{[]string{`{"pool_idle_ms":0}`}, 2, "pool_idle_ms must be above 0"},
		{[]string{`{"retry":false}`}, 127, "retry=false"},
		{[]string{`{"http3":true}`}, 127, "http3"},
		{[]string{`{}`, ``, ``}, 2, "not a JSON object"},
		{[]string{`{}`, `{"n":1,"method":"GET","url":"http://h:port/"}`}, 2, "port"},
		{[]string{`{}`, `{"n":1,"method":"GET"}`}, 2, "url"},
		{[]string{`{}`, `{"n":1,"method":"GET","url":"http://h/","trailers":{}}`}, 127, "trailers"},
	}
	for _, tt := range tests {
		_, err := play(t, tt.input...)
		e, ok := errors.AsType[exit](err)
		if !ok || e.code != tt.code || !strings.Contains(e.text, tt.text) {
			t.Errorf("%q: %v (%d), want %d with %q", tt.input, err, e.code, tt.code, tt.text)
		}
	}
	for _, input := range []string{"", "{}", "{}\n"} {
		if replies, err := play(t, input); err != nil || len(replies) != 0 {
			t.Errorf("%q: %d replies, %v", input, len(replies), err)
		}
	}
}
