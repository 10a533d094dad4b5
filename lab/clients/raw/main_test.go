package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/script"
	"rstlab/lab/script/play"
)

// serve plays a script on each connection that is made, in order.
func serve(t *testing.T, does script.Server) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	inside, err := play.ServerTLS()
	require.NoError(t, err)
	go func() {
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			c := &play.Conn{TCP: conn.(*net.TCPConn), TLS: inside, Server: true, Events: play.NewEvents(),
				Say: func(string) {}, Ran: func(_, _ string) {}}
			go c.Play(does.Script(n), func(script.Op, error) bool { return false })
		}
	}()
	return l.Addr().String()
}

// driver drives a client in this process, line by line.
type driver struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *json.Decoder
	done chan error
}

// line is any line of output.
type line struct {
	reply
	ready
	said
}

func drive(t *testing.T) *driver {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	d := &driver{t, inW, json.NewDecoder(outR), make(chan error, 1)}
	go func() {
		err := run(inR, outW)
		inR.CloseWithError(io.ErrClosedPipe)
		outW.Close()
		d.done <- err
	}()
	t.Cleanup(func() { inW.Close(); outR.Close() })
	hello := d.next()
	assert.True(t, hello.Ready && hello.Client == "raw" && strings.HasPrefix(hello.Version, "go1."), "%+v", hello.ready)
	d.say("{}")
	return d
}

func (d *driver) say(text string) {
	d.t.Helper()
	_, err := io.WriteString(d.in, text+"\n")
	require.NoError(d.t, err)
}

func (d *driver) play(n int, addr, conn string, ops ...script.Op) {
	d.t.Helper()
	d.say(step(n, addr, conn, ops...))
}

func (d *driver) next() (l line) {
	d.t.Helper()
	require.NoError(d.t, d.out.Decode(&l))
	return l
}

func step(n int, addr, conn string, ops ...script.Op) string {
	text, err := json.Marshal(map[string]any{"n": n, "url": addr, "conn": conn, "script": ops})
	if err != nil {
		panic(err)
	}
	return string(text)
}

const get = "GET / HTTP/1.1\r\n\r\n"

// TestOutcomes: what the server does, and what is told of it.
func TestOutcomes(t *testing.T) {
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := closed.Addr().String()
	closed.Close()
	ask := []script.Op{script.Write(get), script.ReadResponse()}
	arrive := script.Rest(20 * time.Millisecond)
	cut := script.Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
	tests := []struct {
		name   string
		server []script.Op // nil: there is none
		client []script.Op
		want   string // status "body" bytes class: text
	}{
		{"answer", []script.Op{script.ReadRequest(), script.Answer(404, "no")}, ask, `404 "no" 2`},
		{"head", []script.Op{script.ReadRequest(), cut}, []script.Op{script.Write("HEAD / HTTP/1.1\r\n\r\n"), script.ReadHead()}, `200 "" 0`},
		{"two answers", []script.Op{script.Answer(200, "one"), script.Answer(500, "two")}, []script.Op{script.ReadResponse(), script.ReadResponse()}, `500 "two" 3`},
		{"nothing read", []script.Op{}, []script.Op{script.Write(get)}, ""},
		{"connect", []script.Op{}, nil, ""},
		{"to the end", []script.Op{script.Answer(200, "x"), script.Close()}, []script.Op{script.ReadEnd()}, ""},
		{"tls", []script.Op{script.TLS(), script.ReadRequest(), script.Answer(200, "x")}, append([]script.Op{script.TLS()}, ask...), `200 "x" 1`},
		{"refused", nil, ask, "refused: connect: connection refused"},
		{"eof", []script.Op{script.ReadRequest(), script.Close()}, ask, "eof: EOF"},
		{"cut", []script.Op{script.ReadRequest(), cut, script.Close()}, ask, `200 "half" 4 eof: unexpected EOF`},
		{"reset", []script.Op{script.ReadRequest(), script.Reset()}, ask, "reset: read: connection reset by peer"},
		{"cut by reset", []script.Op{script.ReadRequest(), cut, script.Reset()}, ask, `200 "half" 4 reset: read: connection reset by peer`},
		{"reset at the end", []script.Op{script.ReadRequest(), script.Reset()}, []script.Op{script.Write(get), script.ReadEnd()}, "reset: read: connection reset by peer"},
		{"answer to half a request", []script.Op{script.ReadHead(), script.Answer(413, "big"), script.Close()},
			[]script.Op{script.Write("POST / HTTP/1.1\r\n\r\n"), arrive, script.Write("x"), arrive, script.Write("y"), script.ReadResponse()}, `413 "big" 3 reset: write: broken pipe`},
		{"no HTTP", []script.Op{script.Write("\x15\r\n\r\n")}, ask, `other: malformed status line "\x15"`},
		{"closed itself", []script.Op{}, []script.Op{script.Close(), script.Write(get)}, "other: write: use of closed network connection"},
	}
	d := drive(t)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			addr := nobody
			if tt.server != nil {
				addr = serve(t, script.Server{Conns: [][]script.Op{tt.server}})
			}
			d.play(i+1, addr, tt.name, tt.client...)
			rep := d.next().reply
			assert.Equal(t, i+1, rep.N)
			assert.Equal(t, tt.server != nil, rep.LocalPort != 0, "it was connected")
			var got []string
			if rep.Status != 0 {
				got = append(got, fmt.Sprintf("%d %q %d", rep.Status, *rep.Body, *rep.Bytes))
			}
			if rep.Error != nil {
				got = append(got, rep.Error.Class+": "+rep.Error.Text)
			}
			assert.Equal(t, tt.want, strings.Join(got, " "))
		})
	}
	require.NoError(t, d.in.Close())
	assert.NoError(t, <-d.done)
}

// TestConnections: a name is one connection until a script ends it.
func TestConnections(t *testing.T) {
	d := drive(t)
	addr := serve(t, script.Server{})
	ask := []script.Op{script.Write(get), script.ReadResponse()}
	var ports []int
	for n, ops := range [][]script.Op{ask, append(ask, script.Close()), append(ask, script.Reset()), ask} {
		d.play(n+1, addr, "a", ops...)
		rep := d.next()
		assert.Equal(t, 200, rep.Status)
		ports = append(ports, rep.LocalPort)
	}
	assert.Equal(t, ports[0], ports[1], "kept")
	assert.NotEqual(t, ports[1], ports[2], "closed by its script")
	assert.NotEqual(t, ports[2], ports[3], "reset by its script")
	d.play(5, addr, "b", ask...)
	assert.NotEqual(t, ports[3], d.next().LocalPort)
}

// TestUnderWay: connections go side by side, the steps of one in order, and
// events come and go meanwhile.
func TestUnderWay(t *testing.T) {
	d := drive(t)
	addr := serve(t, script.Server{})
	d.play(1, addr, "a", script.Say("a waits"), script.Wait("go"))
	d.play(2, addr, "a", script.Write(get), script.ReadResponse())
	assert.Equal(t, "a waits", d.next().Said)
	d.play(3, addr, "b", script.Write(get), script.ReadResponse())
	assert.Equal(t, 3, d.next().N, "b does not wait for a")
	d.say(`{"tell":"go"}`)
	assert.Equal(t, 1, d.next().N)
	assert.Equal(t, 2, d.next().N)

	d.say(`{"tell":"early"}`)
	d.play(4, addr, "b", script.Wait("early"))
	assert.Nil(t, d.next().Error)

	d.play(5, addr, "b", script.Wait("never"))
	require.NoError(t, d.in.Close())
	assert.Equal(t, "wait: the event was never told", d.next().Error.Text)
	assert.NoError(t, <-d.done)
}

// TestBuffer: the window is small from the SYN on.
func TestBuffer(t *testing.T) {
	d := drive(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	d.play(1, l.Addr().String(), "a", script.Buffer(4096))
	assert.Nil(t, d.next().Error)
	conn, err := l.Accept()
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.(*net.TCPConn).SetWriteBuffer(4096))
	require.NoError(t, conn.SetWriteDeadline(time.Now().Add(200*time.Millisecond)))
	n, err := conn.Write(make([]byte, 1<<20))
	assert.ErrorContains(t, err, "timeout")
	assert.Less(t, n, 64<<10, "the window is full")
}

func TestClassify(t *testing.T) {
	for want, err := range map[string]error{
		"reset": syscall.ECONNABORTED, "unreachable": syscall.EHOSTUNREACH, "timeout": syscall.ETIMEDOUT, "other": errors.New("x"),
	} {
		assert.Equal(t, want, classify(err))
	}
}

func TestInput(t *testing.T) {
	tests := []struct {
		input string
		code  int
		text  string
	}{
		{"retry", 2, "not a JSON object: retry"},
		{"null", 2, "not a JSON object: null"},
		{`{"retry":false}`, 127, `raw does not support "retry"`},
		{`{"timeout_ms":1}`, 127, "timeout_ms"},
		{"{}\n\n", 2, "not a JSON object"},
		{"{}\n" + `{"n":1,"method":"GET","url":"h:80"}`, 127, "method"},
		{"{}\n" + `{"n":1}`, 2, "host:port"},
		{"{}\n" + `{"url":"h:80"}`, 2, "n, from 1"},
		{"{}\n" + `{"n":"1"}`, 2, "n"},
		{"{}\n" + `{"n":1,"url":"h:80","script":[{"do":"dance"}]}`, 127, "dance"},
		{"{}\n" + `{"n":1,"url":"h:80","script":[{"do":"write","why":"so"}]}`, 127, "why"},
		{"", 0, ""},
		{"{}", 0, ""},
		{"{}\n", 0, ""},
	}
	for _, tt := range tests {
		err := run(strings.NewReader(tt.input), io.Discard)
		if tt.code == 0 {
			assert.NoError(t, err, tt.input)
			continue
		}
		e, ok := errors.AsType[exit](err)
		assert.True(t, ok && e.code == tt.code && strings.Contains(e.text, tt.text), "%q: %v, want %d with %q", tt.input, err, tt.code, tt.text)
	}
}
