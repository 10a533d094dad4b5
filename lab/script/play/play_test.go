package play

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"rstlab/lab/script"
)

// pair returns both ends of a TCP connection, kept open to the end of the test.
func pair(t *testing.T) (player *Conn, peer *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer l.Close()
	peer, err = net.DialTCP("tcp4", nil, l.Addr().(*net.TCPAddr))
	require.NoError(t, err)
	tcp, err := l.AcceptTCP()
	require.NoError(t, err)
	t.Cleanup(func() { peer.Close(); tcp.Close() })
	// A test that waits for what does not come shall fail, not hang.
	require.NoError(t, peer.SetDeadline(time.Now().Add(20*time.Second)))
	require.NoError(t, tcp.SetDeadline(time.Now().Add(20*time.Second)))
	return &Conn{TCP: tcp, Server: true, Events: NewEvents(), Say: func(string) {}, Ran: func(_, _ string) {}}, peer
}

// play plays a script to its first failure.
func play(c *Conn, ops ...script.Op) (failure error) {
	c.Play(ops, func(_ script.Op, err error) bool { failure = err; return false })
	return failure
}

const post = "POST /a HTTP/1.1\r\nContent-Length: 6\r\n\r\nabcdef"

// TestEnds: what the peer sees of each way to end, and of each amount that is
// left unread. The peer has sent all before the script begins, so that the
// kernel knows what is unread.
func TestEnds(t *testing.T) {
	reset := syscall.ECONNRESET
	tests := []struct {
		name string
		sent string
		ops  []script.Op
		got  string
		end  error
	}{
		{"close", "", []script.Op{script.Write("x"), script.Close()}, "x", io.EOF},
		{"shut", "", []script.Op{script.Write("x"), script.Shut()}, "x", io.EOF},
		{"reset", "", []script.Op{script.Write("x"), script.Reset()}, "x", reset},
		{"reset unread", post, []script.Op{script.Reset()}, "", reset},
		{"reset, all read", post, []script.Op{script.ReadRequest(), script.Reset()}, "", reset},
		{"close unread", post, []script.Op{script.Close()}, "", reset},
		{"head, the body unread", post, []script.Op{script.ReadHead(), script.Close()}, "", reset},
		{"head, half the body", post, []script.Op{script.ReadHead(), script.Read(3), script.Close()}, "", reset},
		{"head, all but one byte", post, []script.Op{script.ReadHead(), script.Read(5), script.Close()}, "", reset},
		{"head, the whole body", post, []script.Op{script.ReadHead(), script.Read(6), script.Close()}, "", io.EOF},
		{"bytes", post, []script.Op{script.Read(len(post)), script.Close()}, "", io.EOF},
		{"all bytes but one", post, []script.Op{script.Read(len(post) - 1), script.Close()}, "", reset},
		{"request", post, []script.Op{script.ReadRequest(), script.Close()}, "", io.EOF},
		{"request, one byte after it", post + "G", []script.Op{script.ReadRequest(), script.Close()}, "", reset},
		{"two requests", post + post, []script.Op{script.ReadRequest(), script.ReadRequest(), script.Close()}, "", io.EOF},
		{"chunks", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n", []script.Op{script.ReadRequest(), script.Close()}, "", io.EOF},
		{"chunks, one byte after them", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n\n", []script.Op{script.ReadRequest(), script.Close()}, "", reset},
		{"no body", "GET / HTTP/1.1\r\n\r\n", []script.Op{script.ReadRequest(), script.Answer(204, ""), script.Close()}, string(script.Answer(204, "").Text), io.EOF},
		{"slowly, all but one byte", post, []script.Op{script.Read(len(post)-1).Slowly(3, 0), script.Close()}, "", reset},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, peer := pair(t)
			_, err := io.WriteString(peer, tt.sent)
			require.NoError(t, err)
			require.NoError(t, play(c, tt.ops...))
			got, err := io.ReadAll(peer)
			if err == nil {
				err = io.EOF
			}
			assert.Equal(t, tt.got, string(got))
			assert.ErrorIs(t, err, tt.end)
			if errors.Is(tt.end, reset) {
				_, err = peer.Write([]byte("x"))
				assert.ErrorIs(t, err, syscall.EPIPE, "a write after the RST")
			}
			assert.Equal(t, tt.ops[len(tt.ops)-1].Do != script.DoShut, c.Closed)
		})
	}
}

// TestOpen: a script that ends leaves its connection open, and Shut one way.
func TestOpen(t *testing.T) {
	c, peer := pair(t)
	require.NoError(t, play(c, script.Write("x")))
	require.NoError(t, play(c, script.Write("y"), script.Shut()))
	got, err := io.ReadAll(peer)
	require.NoError(t, err)
	assert.Equal(t, "xy", string(got))
	_, err = io.WriteString(peer, post)
	require.NoError(t, err)
	require.NoError(t, play(c, script.ReadRequest()), "half-closed, it reads on")
}

// What a peer does that ends its side: with FIN, with FIN after some bytes, with RST.
func fin(peer *net.TCPConn) { peer.Close() }
func rst(peer *net.TCPConn) { _ = peer.SetLinger(0); peer.Close() }
func half(text string) func(*net.TCPConn) {
	return func(peer *net.TCPConn) { _, _ = io.WriteString(peer, text); _ = peer.CloseWrite() }
}

// TestFails: what an op says when the peer has ended the connection.
func TestFails(t *testing.T) {
	arrive := script.Rest(20 * time.Millisecond) // what a loopback does at once, and nobody promises
	tests := []struct {
		name  string
		peer  func(*net.TCPConn)
		ops   []script.Op
		error string
	}{
		{"nothing at all", fin, []script.Op{script.ReadRequest()}, "EOF"},
		{"half a line", half("GET"), []script.Op{script.ReadRequest()}, "unexpected EOF"},
		{"half a head", half("GET / HTTP/1.1\r\n"), []script.Op{script.ReadHead()}, "unexpected EOF"},
		{"no body", half("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\n"), []script.Op{script.ReadRequest()}, "unexpected EOF"},
		{"half a body", half(post[:len(post)-1]), []script.Op{script.ReadRequest()}, "unexpected EOF"},
		{"half of the bytes", half("abc"), []script.Op{script.Read(4)}, "unexpected EOF"},
		{"none of the bytes", fin, []script.Op{script.Read(4)}, "EOF"},
		{"FIN at the end", half("abc"), []script.Op{script.ReadEnd()}, ""},
		{"RST at the end", rst, []script.Op{script.ReadEnd()}, "read: connection reset by peer"},
		{"RST in a response", rst, []script.Op{script.ReadResponse()}, "read: connection reset by peer"},
		{"write after FIN", fin, []script.Op{script.ReadEnd(), script.Write("x"), arrive, script.Write("x")}, "write: broken pipe"},
		{"write after RST", rst, []script.Op{arrive, script.Write("x")}, "write: connection reset by peer"},
		{"read after close", fin, []script.Op{script.Close(), script.ReadEnd()}, "read: use of closed network connection"},
		{"write after close", fin, []script.Op{script.Close(), script.Write("x")}, "write: use of closed network connection"},
		{"again", half("ab"), []script.Op{script.Read(1), script.Again()}, "EOF"},
		{"no HTTP", half("\x16\x03\x01\r\n\r\n"), []script.Op{script.ReadRequest()}, `malformed request line "\x16\x03\x01"`},
		{"never told", fin, []script.Op{script.Wait("x")}, "wait: the event was never told"},
		{"not known", fin, []script.Op{{Do: "dance"}}, `unknown op "dance"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, peer := pair(t)
			tt.peer(peer)
			c.Events.End()
			if err := play(c, tt.ops...); tt.error == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, tt.error)
			}
		})
	}
}

// TestReadAfterWriteFailed: what the peer sent before its RST can still be
// read, and Again ends a script that has failed.
func TestReadAfterWriteFailed(t *testing.T) {
	c, peer := pair(t)
	c.Server = false
	_, err := io.WriteString(peer, string(script.Answer(413, "too much").Text))
	require.NoError(t, err)
	peer.Close()
	var failures []string
	c.Play([]script.Op{script.Write("x"), script.Rest(20 * time.Millisecond), script.Write("y"), script.ReadResponse(), script.Again()}, func(op script.Op, err error) bool {
		failures = append(failures, op.String()+": "+err.Error())
		return true
	})
	assert.Equal(t, []string{`write "y": write: broken pipe`}, failures)
	assert.Equal(t, Response{413, "too much", 8}, c.Last)
}

// TestHead: the response to HEAD ends with its head, whatever length it tells.
func TestHead(t *testing.T) {
	c, peer := pair(t)
	c.Server = false
	_, err := io.WriteString(peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"+string(script.Answer(404, "no").Text))
	require.NoError(t, err)
	require.NoError(t, play(c, script.ReadHead()))
	assert.Equal(t, Response{Status: 200}, c.Last)
	require.NoError(t, play(c, script.ReadResponse()))
	assert.Equal(t, Response{404, "no", 2}, c.Last)
}

func TestRan(t *testing.T) {
	c, peer := pair(t)
	var ran []string
	c.Ran = func(method, url string) { ran = append(ran, method+" "+url) }
	_, err := io.WriteString(peer, post+post+"\r\nGET /b HTTP/1.0\n\n"+post[:len(post)-1])
	require.NoError(t, err)
	peer.Close()
	require.NoError(t, play(c, script.ReadRequest(), script.ReadHead(), script.Read(6), script.ReadRequest()))
	assert.ErrorIs(t, play(c, script.ReadRequest()), io.ErrUnexpectedEOF)
	assert.Equal(t, []string{"POST /a", "GET /b"}, ran, "a head alone and half a request are not run")
}

// TestEvents: an event is told before or after it is waited for, and releases
// each connection once.
func TestEvents(t *testing.T) {
	events := NewEvents()
	said, ended := make(chan string, 10), make(chan error, 2)
	for range 2 {
		c, _ := pair(t)
		c.Events = events
		c.Say = func(event string) { said <- event }
		go func() {
			ended <- play(c, script.Wait("before"), script.Say("first"), script.Wait("go"), script.Say("second"), script.Wait("go"), script.Say("third"))
		}()
	}
	both := func(want string) {
		t.Helper()
		for range 2 {
			select {
			case got := <-said:
				require.Equal(t, want, got)
			case <-time.After(20 * time.Second):
				t.Fatalf("nobody says %q", want)
			}
		}
	}
	events.Tell("before")
	both("first")
	events.Tell("go")
	both("second")
	assert.Empty(t, said, "the second wait has a telling of its own")
	events.Tell("go")
	both("third")
	for range 2 {
		assert.NoError(t, <-ended)
	}
	late, _ := pair(t)
	late.Events = events
	assert.NoError(t, play(late, script.Wait("before"), script.Wait("go"), script.Wait("go")), "what has been told stays told")
}

func TestAgain(t *testing.T) {
	c, peer := pair(t)
	_, err := io.WriteString(peer, strings.Repeat(post, 3))
	require.NoError(t, err)
	require.NoError(t, peer.CloseWrite())
	assert.EqualError(t, play(c, script.Server{}.Script(1)...), "EOF")
	require.NoError(t, c.Close())
	got, err := io.ReadAll(peer)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(string(got), "HTTP/1.1 200 "))
}

// TestWrites: each write is a segment of its own, and one segment.
func TestWrites(t *testing.T) {
	c, peer := pair(t)
	for _, tt := range []struct {
		op       script.Op
		segments int
	}{{script.Write("abcdef"), 1}, {script.Fill(1000), 1}, {script.Write("abcdef").Slowly(2, time.Millisecond), 3}, {script.Write("abcdefg").Slowly(2, 0), 4}} {
		before := segments(t, c.TCP)
		require.NoError(t, play(c, tt.op))
		assert.Equal(t, tt.segments, segments(t, c.TCP)-before, tt.op.String())
	}
	require.NoError(t, c.Close())
	got, err := io.ReadAll(peer)
	require.NoError(t, err)
	assert.Equal(t, "abcdef"+strings.Repeat(".", 1000)+"abcdefabcdefg", string(got))
}

// TestSlowly: a rest follows each piece but the last.
func TestSlowly(t *testing.T) {
	c, peer := pair(t)
	start := time.Now()
	require.NoError(t, play(c, script.Write("abcdef").Slowly(2, 20*time.Millisecond)))
	assert.GreaterOrEqual(t, time.Since(start), 40*time.Millisecond)
	_, err := io.WriteString(peer, post)
	require.NoError(t, err)
	start = time.Now()
	require.NoError(t, play(c, script.Read(5).Slowly(2, 20*time.Millisecond)))
	assert.GreaterOrEqual(t, time.Since(start), 40*time.Millisecond)
	start = time.Now()
	require.NoError(t, play(c, script.Rest(20*time.Millisecond)))
	assert.GreaterOrEqual(t, time.Since(start), 20*time.Millisecond)
}

// TestBlocked: a peer that does not read fills the window, and the write waits
// until the peer ends it.
func TestBlocked(t *testing.T) {
	c, peer := pair(t)
	require.NoError(t, peer.SetReadBuffer(4096))
	go func() {
		for unsent(c.TCP) == 0 {
			time.Sleep(time.Millisecond)
		}
		peer.Close()
	}()
	assert.EqualError(t, play(c, script.Fill(64<<20)), "write: connection reset by peer")
}

func TestBuffer(t *testing.T) {
	c, _ := pair(t)
	require.NoError(t, play(c, script.Buffer(8192)))
	assert.Equal(t, 2*8192, option(t, c.TCP, syscall.SO_RCVBUF), "the kernel doubles it (socket(7))")
}

func TestTLS(t *testing.T) {
	server, peer := pair(t)
	client := &Conn{TCP: peer, TLS: ClientTLS("test.foo.com"), Events: NewEvents()}
	var err error
	server.TLS, err = ServerTLS()
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() {
		served <- play(server, script.TLS(), script.ReadRequest(), script.Answer(200, "inside"), script.Close())
	}()
	require.NoError(t, play(client, script.TLS(), script.Write(post), script.ReadResponse(), script.ReadEnd()))
	require.NoError(t, <-served)
	assert.Equal(t, Response{200, "inside", 6}, client.Last)

	// Who speaks no TLS is told so.
	server, peer = pair(t)
	client = &Conn{TCP: peer, TLS: ClientTLS("test.foo.com"), Events: NewEvents()}
	go func() {
		served <- play(server, script.Read(1), script.Write("\x15\x03\x03\x00\x02\x02\x28"), script.Shut(), script.ReadEnd(), script.Close())
	}()
	assert.ErrorContains(t, play(client, script.TLS()), "handshake failure")
	require.NoError(t, play(client, script.Close()))
	require.NoError(t, <-served)
}

func TestCheck(t *testing.T) {
	require.NoError(t, Check([]script.Op{script.ReadRequest(), script.ReadHead(), script.ReadResponse(), script.ReadEnd(), script.Read(1), script.Write(""), script.Rest(0), script.Say(""), script.Wait(""), script.TLS(),
		script.Buffer(1), script.Shut(), script.Close(), script.Reset(), script.Again()}))
	assert.EqualError(t, Check([]script.Op{script.Close(), {Do: "dance"}}), `unknown op "dance"`)
	assert.EqualError(t, Check([]script.Op{{Do: script.DoRead, What: "minds"}}), `unknown thing to read: "minds"`)
}

// option returns a socket option.
func option(t *testing.T, c *net.TCPConn, name int) (value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, name) }))
	require.NoError(t, err)
	return value
}

// info returns what the kernel knows of a connection.
func info(c *net.TCPConn) (i *unix.TCPInfo) {
	raw, err := c.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) { i, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
	}
	if i == nil {
		panic(err)
	}
	return i
}

// segments returns how many segments with data have been sent.
func segments(_ *testing.T, c *net.TCPConn) int { return int(info(c).Data_segs_out) }

// unsent returns how much waits for a window.
func unsent(c *net.TCPConn) int { return int(info(c).Notsent_bytes) }
