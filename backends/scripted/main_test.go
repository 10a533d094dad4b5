package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/script"
	"rstlab/lab/script/play"
)

// running is a server in this process, with its lines and its input.
type running struct {
	t    *testing.T
	addr string
	log  *json.Decoder
	in   *io.PipeWriter
}

func start(t *testing.T, does script.Server) *running {
	l, err := listen(0, does.Backlog, does.Buffer)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	outR, outW := io.Pipe()
	inR, inW := io.Pipe()
	t.Cleanup(func() { outR.Close(); inW.Close() })
	s := &server{does: does, out: outW, events: play.NewEvents()}
	go s.hear(inR)
	go func() { _ = s.serve(l) }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return &running{t, "127.0.0.1:" + port, json.NewDecoder(outR), inW}
}

func (r *running) dial() net.Conn {
	conn, err := net.Dial("tcp4", r.addr)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { conn.Close() })
	require.NoError(r.t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return conn
}

// next returns the next line, with its time and the remote address checked and taken out.
func (r *running) next() event {
	r.t.Helper()
	var e event
	require.NoError(r.t, r.log.Decode(&e))
	assert.InDelta(r.t, time.Now().Unix(), e.Time, 60)
	e.Time = 0
	if e.Event == "connection" || e.Event == "close" {
		assert.NotEmpty(r.t, e.Remote)
		e.Remote = ""
	}
	return e
}

func (r *running) tell(line string) {
	_, err := io.WriteString(r.in, line+"\n")
	require.NoError(r.t, err)
}

// TestPlain: without a script it answers every request and keeps every connection.
func TestPlain(t *testing.T) {
	r := start(t, script.Server{})
	conn := r.dial()
	assert.Equal(t, event{Event: "connection", Connection: 1}, r.next())
	answers := bufio.NewReader(conn)
	for n, method := range []string{"GET", "POST"} {
		_, err := io.WriteString(conn, method+" /a HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
		require.NoError(t, err)
		assert.Equal(t, event{Event: "request", N: n + 1, Connection: 1, Method: method, URL: "/a"}, r.next())
		answer, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		assert.Equal(t, "200 scripted\n", strings.Fields(answer.Status)[0]+" "+string(body))
	}
	require.NoError(t, conn.Close())
	assert.Equal(t, event{Event: "close", Connection: 1}, r.next(), "a peer that leaves between two requests is no failure")
}

// TestConnections: each meets its script, the last is for all that follow, and
// the end of the input ends nothing.
func TestConnections(t *testing.T) {
	r := start(t, script.Server{Conns: [][]script.Op{
		{script.ReadHead(), script.Close()},
		{script.Say("here"), script.Wait("go"), script.Reset()},
		{script.ReadRequest(), script.Close()},
	}})
	first := r.dial()
	assert.Equal(t, event{Event: "connection", Connection: 1}, r.next())
	_, err := io.WriteString(first, "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
	require.NoError(t, err)
	assert.Equal(t, event{Event: "close", Connection: 1}, r.next(), "a head alone is not run")
	_, err = io.ReadAll(first)
	assert.ErrorIs(t, err, syscall.ECONNRESET)

	second := r.dial()
	assert.Equal(t, event{Event: "connection", Connection: 2}, r.next())
	assert.Equal(t, event{Event: "said", Connection: 2, Name: "here"}, r.next())
	r.tell("what is this")
	r.tell(`{"tell":"go"}`)
	assert.Equal(t, event{Event: "close", Connection: 2}, r.next())
	_, err = io.ReadAll(second)
	assert.ErrorIs(t, err, syscall.ECONNRESET)
	require.NoError(t, r.in.Close())

	third := r.dial()
	assert.Equal(t, event{Event: "connection", Connection: 3}, r.next())
	fourth := r.dial()
	assert.Equal(t, event{Event: "connection", Connection: 4}, r.next())
	_, err = io.WriteString(fourth, "GET /")
	require.NoError(t, err)
	require.NoError(t, fourth.(*net.TCPConn).CloseWrite())
	assert.Equal(t, event{Event: "failed", Connection: 4, Op: "read request", Error: "unexpected EOF"}, r.next())
	assert.Equal(t, event{Event: "close", Connection: 4}, r.next(), "a script that fails closes")
	_, err = io.ReadAll(fourth)
	assert.NoError(t, err)
	require.NoError(t, third.(*net.TCPConn).SetLinger(0))
	require.NoError(t, third.Close())
	assert.Equal(t, event{Event: "failed", Connection: 3, Op: "read request", Error: "read: connection reset by peer"}, r.next())
	assert.Equal(t, event{Event: "close", Connection: 3}, r.next())
}

// TestKept: no garbage collection closes the connection of a script that has ended.
func TestKept(t *testing.T) {
	r := start(t, script.Server{Conns: [][]script.Op{{script.Write("x"), script.Say("over")}}})
	before := runtime.NumGoroutine()
	conn := r.dial()
	r.next()
	assert.Equal(t, "said", r.next().Event)
	for runtime.NumGoroutine() > before { // the script's is not gone yet
		runtime.Gosched()
	}
	for range 3 {
		finalized := make(chan struct{})
		runtime.SetFinalizer(new([64]byte), func(*[64]byte) { close(finalized) })
		runtime.GC()
		<-finalized // and with it what else was garbage
	}
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Millisecond)))
	got, err := io.ReadAll(conn)
	assert.Equal(t, "x", string(got))
	assert.ErrorContains(t, err, "timeout")
}

// TestDeaf: the kernel makes connections, one more than the backlog, and
// acknowledges what comes; nobody accepts or answers.
func TestDeaf(t *testing.T) {
	r := start(t, script.Server{Deaf: true, Backlog: 1})
	for range 2 {
		conn := r.dial()
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
		_, err = conn.Read(make([]byte, 1))
		assert.ErrorContains(t, err, "timeout")
	}
	_, err := net.DialTimeout("tcp4", r.addr, 100*time.Millisecond)
	assert.ErrorContains(t, err, "timeout", "the accept queue is full")
}

// TestBuffer: a connection has the listener's receive buffer from the start.
func TestBuffer(t *testing.T) {
	r := start(t, script.Server{Buffer: 4096, Conns: [][]script.Op{{}}})
	conn := r.dial()
	require.NoError(t, conn.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
	require.NoError(t, conn.(*net.TCPConn).SetWriteBuffer(4096))
	n, err := conn.Write(make([]byte, 1<<20))
	assert.ErrorContains(t, err, "timeout")
	assert.Less(t, n, 64<<10, "the window is full")
}
