package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/agent/protocol"
)

// conductor speaks with an agent that runs in this process, with real children.
type conductor struct {
	t      *testing.T
	enc    *json.Encoder
	events chan protocol.Event
	end    func()
	ended  chan error
	id     int
	early  []protocol.Event // came before an answer, and nobody has looked at them yet
}

func conduct(t *testing.T) *conductor {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	c := &conductor{t: t, enc: json.NewEncoder(inW), events: make(chan protocol.Event, 64), ended: make(chan error, 1),
		end: func() { inW.Close() }}
	go func() { c.ended <- conducted(inR, outW); outW.Close() }()
	go func() {
		for dec := json.NewDecoder(outR); ; {
			var e protocol.Event
			if dec.Decode(&e) != nil {
				close(c.events)
				return
			}
			c.events <- e
		}
	}()
	t.Cleanup(c.end)
	require.True(t, c.next().Ready, "the first word is ready")
	return c
}

func (c *conductor) next() protocol.Event {
	c.t.Helper()
	if len(c.early) > 0 {
		e := c.early[0]
		c.early = c.early[1:]
		return e
	}
	select {
	case e := <-c.events:
		return e
	case <-time.After(10 * time.Second):
		c.t.Fatal("the agent says nothing")
		return protocol.Event{}
	}
}

// until returns the first event that is wanted; the others may come in any order.
func (c *conductor) until(wanted func(protocol.Event) bool) protocol.Event {
	c.t.Helper()
	for {
		if e := c.next(); wanted(e) {
			return e
		}
	}
}

func (c *conductor) ask(cmd protocol.Command) protocol.Event {
	c.t.Helper()
	c.id++
	cmd.ID = c.id
	require.NoError(c.t, c.enc.Encode(cmd))
	var early []protocol.Event // what a program says may come before the answer to its start
	answer := c.until(func(e protocol.Event) bool {
		if e.Re != cmd.ID {
			early = append(early, e)
		}
		return e.Re == cmd.ID
	})
	c.early = append(early, c.early...)
	return answer
}

// saidBeforeEnd runs a script of the shell and returns what it is told to have
// said before it is told to have ended.
func (c *conductor) saidBeforeEnd(script string) (said []string) {
	c.t.Helper()
	require.NoError(c.t, c.enc.Encode(protocol.Command{ID: 1, Do: protocol.Start, Name: "script", Argv: []string{"sh", "-c", script}}))
	c.until(func(e protocol.Event) bool {
		if e.Stream != "" {
			said = append(said, string(e.Data))
		}
		return e.Exit != nil
	})
	return said
}

func TestStartInputKill(t *testing.T) {
	c := conduct(t)
	e := c.ask(protocol.Command{Do: protocol.Start, Name: "cat", Argv: []string{"cat"}})
	require.Empty(t, e.Err)
	assert.NotZero(t, e.PID)
	assert.Contains(t, c.ask(protocol.Command{Do: protocol.Start, Name: "cat", Argv: []string{"cat"}}).Err, "runs already")

	require.NoError(t, c.enc.Encode(protocol.Command{ID: 100, Do: protocol.Input, Name: "cat", Data: []byte("hello\n")}))
	said := c.until(func(e protocol.Event) bool { return e.Stream == protocol.Stdout })
	assert.Equal(t, "hello", string(said.Data))

	require.NoError(t, c.enc.Encode(protocol.Command{ID: 101, Do: protocol.Signal, Name: "cat", Signal: 9}))
	ended := c.until(func(e protocol.Event) bool { return e.Exit != nil })
	assert.Equal(t, protocol.Exit{Code: -1, Signal: 9}, *ended.Exit)
	assert.Contains(t, c.ask(protocol.Command{Do: protocol.Signal, Name: "cat", Signal: 9}).Err, `no process "cat"`)

	// The name is free again: a server can be restarted.
	assert.Empty(t, c.ask(protocol.Command{Do: protocol.Start, Name: "cat", Argv: []string{"cat"}}).Err)
}

// What a program said last is told before its end, always.
func TestLastWords(t *testing.T) {
	c := conduct(t)
	for range 300 {
		said := c.saidBeforeEnd("echo out; echo err >&2")
		slices.Sort(said)
		require.Equal(t, []string{"err", "out"}, said)
	}
}

// The end of a program is told though children of it hold on to its output.
func TestEndWithOrphans(t *testing.T) {
	c := conduct(t)
	assert.Equal(t, []string{"out"}, c.saidBeforeEnd("echo out; sleep 60 &"))
}

func TestRun(t *testing.T) {
	c := conduct(t)
	e := c.ask(protocol.Command{Do: protocol.Run, Argv: []string{"sh", "-c", "echo out; echo err >&2; exit 3"}})
	require.Empty(t, e.Err)
	assert.Equal(t, "out\n", string(e.Data))
	assert.Equal(t, "err\n", string(e.Errout))
	assert.Equal(t, 3, e.Exit.Code)
	assert.InDelta(t, time.Now().UnixNano(), e.Time, float64(10*time.Second))
	assert.NotEmpty(t, c.ask(protocol.Command{Do: protocol.Run, Argv: []string{"no-such-program"}}).Err)
	assert.Contains(t, c.ask(protocol.Command{Do: "dance"}).Err, `unknown command "dance"`)
}

func TestListening(t *testing.T) {
	c := conduct(t)
	require.Empty(t, c.ask(protocol.Command{Do: protocol.Start, Name: "server", Argv: []string{"sleep", "60"}}).Err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	assert.Empty(t, c.ask(protocol.Command{Do: protocol.Listening, Name: "server", Ports: []int{port}, Within: int64(time.Minute)}).Err)
	late := c.ask(protocol.Command{Do: protocol.Listening, Name: "server", Ports: []int{1}, Within: int64(time.Millisecond)}).Err
	assert.Contains(t, late, "does not listen on port 1; the ports that are listened on here: ")
	assert.Contains(t, late, itoa(port))

	// A server that ends before it listens is told, not waited for.
	l.Close()
	require.NoError(t, c.enc.Encode(protocol.Command{ID: 200, Do: protocol.Listening, Name: "server", Ports: []int{port}, Within: int64(time.Minute)}))
	require.NoError(t, c.enc.Encode(protocol.Command{ID: 201, Do: protocol.Signal, Name: "server", Signal: 15}))
	e := c.until(func(e protocol.Event) bool { return e.Re == 200 })
	assert.Contains(t, e.Err, "ended before it listened")
}

// TestEndOfInput: the host ends with its conductor, and nothing runs on.
func TestEndOfInput(t *testing.T) {
	c := conduct(t)
	e := c.ask(protocol.Command{Do: protocol.Start, Name: "stubborn", Argv: []string{"sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"}})
	require.Empty(t, e.Err)
	go func() {
		for range c.events { // what it still says is drained, as attach does
		}
	}()
	c.end()
	select {
	case err := <-c.ended:
		assert.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("the agent outlives its conductor")
	}
	assert.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join("/proc", itoa(e.PID)))
		return os.IsNotExist(err)
	}, 5*time.Second, 10*time.Millisecond, "its process runs on")
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestListeners(t *testing.T) {
	var want []int
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue // no IPv6 here
		}
		defer l.Close()
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		open, err := listeners()
		require.NoError(t, err)
		assert.True(t, open[l.Addr().(*net.TCPAddr).Port], address)
		assert.False(t, open[c.LocalAddr().(*net.TCPAddr).Port], "a connection is no listener")
		want = append(want, l.Addr().(*net.TCPAddr).Port)
	}
	assert.NotEmpty(t, want)
}

// TestClearSockets: connections in every state go, on both ends; a listener is
// left, and said, unless it is the engine's DNS.
func TestClearSockets(t *testing.T) {
	runtime.LockOSThread() // never unlocked: the thread ends with its namespace
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		t.Skip("a network namespace of its own:", err)
	}
	ip := func(args ...string) { // by the reaper of this process, which takes every child
		_, exited, err := theProcesses().start(append([]string{"ip"}, args...), [3]*os.File{os.Stdin, os.Stdout, os.Stderr})
		require.NoError(t, err)
		require.Equal(t, protocol.Exit{}, <-exited)
	}
	ip("link", "set", "lo", "up")
	dns, err := net.Listen("tcp", "127.0.0.11:0")
	require.NoError(t, err)
	defer dns.Close()
	ip("address", "add", "192.0.2.1/32", "dev", "lo")
	l, err := net.Listen("tcp", "192.0.2.1:0")
	require.NoError(t, err)
	for range 3 {
		c, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
	}
	closed, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	closed.Close() // FIN_WAIT2, whose other end nobody has accepted
	assert.ErrorContains(t, clearSockets(), fmt.Sprintf("sockets are left: port %d in state 10", l.Addr().(*net.TCPAddr).Port))
	l.Close()
	assert.NoError(t, clearSockets())
	d, err := newDiag()
	require.NoError(t, err)
	defer d.close()
	left, err := d.all(connected)
	assert.NoError(t, err)
	assert.Empty(t, left)
}

func TestPacket(t *testing.T) {
	c := conduct(t)
	assert.Contains(t, c.ask(protocol.Command{Do: protocol.Packet, Data: []byte("short")}).Err, "5 bytes are no IPv4 packet")
}

// TestFollow: the lines of a file, those that are there, those that come, and
// one that comes in two pieces.
func TestFollow(t *testing.T) {
	c := conduct(t)
	path := filepath.Join(t.TempDir(), "log")
	require.Empty(t, c.ask(protocol.Command{Do: protocol.Write, Path: path, Data: []byte("one\n")}).Err)
	require.Empty(t, c.ask(protocol.Command{Do: protocol.Follow, Name: "log", Path: path}).Err)
	line := func() string {
		return string(c.until(func(e protocol.Event) bool { return e.Name == "log" }).Data)
	}
	assert.Equal(t, "one", line())
	log, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	defer log.Close()
	for _, piece := range []string{"two\nthr", "ee\n"} {
		_, err := log.WriteString(piece)
		require.NoError(t, err)
	}
	assert.Equal(t, "two", line())
	assert.Equal(t, "three", line())
	assert.NotEmpty(t, c.ask(protocol.Command{Do: protocol.Follow, Name: "log", Path: "/nonexistent/log"}).Err)
}

// TestWorkers: a signal to the workers does not reach the first process.
func TestWorkers(t *testing.T) {
	c := conduct(t)
	require.Empty(t, c.ask(protocol.Command{Do: protocol.Start, Name: "server", Argv: []string{"sh", "-c", "sleep 60 & echo ready; wait; echo bereft; exec sleep 60"}}).Err)
	c.until(func(e protocol.Event) bool { return string(e.Data) == "ready" })
	require.Empty(t, c.ask(protocol.Command{Do: protocol.Signal, Name: "server", Signal: 9, To: protocol.Workers}).Err)
	c.until(func(e protocol.Event) bool { return string(e.Data) == "bereft" })
	assert.Eventually(t, func() bool {
		return c.ask(protocol.Command{Do: protocol.Signal, Name: "server", Signal: 9, To: protocol.Workers}).Err == "server has no workers"
	}, 5*time.Second, 10*time.Millisecond)
}

// TestReset: nothing runs any more, and the names are free again.
func TestReset(t *testing.T) {
	c := conduct(t)
	argv := []string{"sh", "-c", "trap '' TERM; sleep 60"}
	require.Empty(t, c.ask(protocol.Command{Do: protocol.Start, Name: "a", Argv: argv}).Err)
	require.Empty(t, c.ask(protocol.Command{Do: protocol.Start, Name: "b", Argv: argv}).Err)
	require.Empty(t, c.ask(protocol.Command{Do: protocol.Reset}).Err)
	for _, name := range []string{"a", "b"} {
		assert.Empty(t, c.ask(protocol.Command{Do: protocol.Start, Name: name, Argv: argv}).Err)
	}
}
