package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"rstlab/lab/gate/protocol"
)

// asGate has the test's own binary be the gate: what is tested needs no build.
const asGate = "RSTLAB_TEST_AS_GATE"

func TestMain(m *testing.M) {
	if os.Getenv(asGate) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const port = 8080

// patience is how long a test waits for anything at all.
const patience = 30 * time.Second

// namespaces makes two network namespaces with a cable between: the client's
// has 10.11.12.1 and fd11::1, the server's .2 and ::2.
func namespaces(t *testing.T) (client, server string) {
	if testing.Short() {
		t.Skip("-short: this makes network namespaces")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root makes network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no ip (iproute2) here to make network namespaces with")
	}
	client, server = fmt.Sprintf("gate-c-%d", os.Getpid()), fmt.Sprintf("gate-s-%d", os.Getpid())
	for _, ns := range []string{client, server} {
		if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
			t.Skipf("no network namespace can be made here: %s", out)
		}
		t.Cleanup(func() { assert.NoError(t, exec.Command("ip", "netns", "del", ns).Run()) })
	}
	for _, args := range []string{
		"-n " + client + " link add wire type veth peer name wire netns " + server,
		"-n " + client + " addr add 10.11.12.1/24 dev wire",
		"-n " + server + " addr add 10.11.12.2/24 dev wire",
		"-n " + client + " addr add fd11::1/64 dev wire nodad",
		"-n " + server + " addr add fd11::2/64 dev wire nodad",
		"-n " + client + " link set wire up",
		"-n " + server + " link set wire up",
	} {
		out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
		require.NoError(t, err, "ip %s: %s", args, out)
	}
	return client, server
}

// in runs f in a network namespace. What it opens belongs to that namespace.
func in(t *testing.T, namespace string, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		ns, err := os.Open("/var/run/netns/" + namespace)
		if err == nil {
			defer ns.Close()
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	require.NoError(t, <-done)
}

// running is a gate that runs.
type running struct {
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan struct{} // closed when its output has ended

	mu      sync.Mutex
	events  []protocol.Event
	changed chan struct{} // closed and made anew with each event
}

// start starts a gate in a namespace, and returns when it is in force.
func start(t *testing.T, namespace, order string) *running {
	t.Helper()
	g := &running{ended: make(chan struct{}), changed: make(chan struct{})}
	g.cmd = exec.Command("ip", "netns", "exec", namespace, os.Args[0], "-order", order, "-port", fmt.Sprint(port))
	g.cmd.Env = append(os.Environ(), asGate+"=1")
	var errout strings.Builder
	g.cmd.Stderr = &errout
	var err error
	g.stdin, err = g.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := g.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, g.cmd.Start())
	t.Cleanup(func() {
		_ = g.cmd.Process.Kill()
		_ = g.cmd.Wait()
	})
	go func() {
		defer close(g.ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e protocol.Event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Errorf("%q: %v", lines.Text(), err)
			}
			g.mu.Lock()
			g.events = append(g.events, e)
			close(g.changed)
			g.changed = make(chan struct{})
			g.mu.Unlock()
		}
	}()
	if _, err := g.await(func(e protocol.Event) bool { return e.Event == protocol.Ready }); err != nil {
		<-g.ended
		_ = g.cmd.Wait()
		if g.cmd.ProcessState.ExitCode() == 127 {
			t.Skip(errout.String())
		}
		t.Fatalf("the gate is not ready: %v: %s", err, errout.String())
	}
	return g
}

// await waits for an event, and returns all that have come until it.
func (g *running) await(is func(protocol.Event) bool) ([]protocol.Event, error) {
	deadline := time.After(patience)
	for {
		g.mu.Lock()
		events, changed := g.events, g.changed
		g.mu.Unlock()
		for i, e := range events {
			if is(e) {
				return events[:i+1], nil
			}
		}
		select {
		case <-changed:
		case <-g.ended:
			return nil, errors.New("it has ended")
		case <-deadline:
			return nil, fmt.Errorf("the event does not come; there are %v", events)
		}
	}
}

// rules says whether the gate's table is in a namespace.
func rules(t *testing.T, namespace string) bool {
	found := false
	in(t, namespace, func() error {
		c, err := nftables.New()
		if err != nil {
			return err
		}
		tables, err := c.ListTables()
		for _, table := range tables {
			found = found || table.Name == "rstlab_gate"
		}
		return err
	})
	return found
}

// TestRace has a server close connections and a client send requests on them,
// many at a time: what the client gets is the order's, each time.
func TestRace(t *testing.T) {
	const connections = 50
	client, server := namespaces(t)
	for _, c := range []struct {
		order string
		fate  protocol.Event // of the FIN before the request is sent
		want  error
		told  []protocol.Kind // the first of each kind; there may be copies
	}{
		{protocol.FINFirst, protocol.Event{Event: protocol.FINHeld, Copies: 1}, io.EOF,
			[]protocol.Kind{protocol.FINHeld, protocol.RequestLeft, protocol.FINReleased, protocol.RST}},
		{protocol.RSTFirst, protocol.Event{Event: protocol.FINHeld, Copies: 1}, syscall.ECONNRESET,
			[]protocol.Kind{protocol.FINHeld, protocol.RequestLeft, protocol.RST, protocol.FINDropped}},
		{protocol.FINLost, protocol.Event{Event: protocol.FINDropped, Copies: 2}, syscall.ECONNRESET,
			[]protocol.Kind{protocol.FINDropped, protocol.RequestLeft, protocol.RST}},
	} {
		for _, host := range []string{"10.11.12.2", "fd11::2"} {
			for _, size := range []int{20, 300_000} {
				t.Run(fmt.Sprintf("%s/%s/%d", c.order, host, size), func(t *testing.T) {
					address := net.JoinHostPort(host, fmt.Sprint(port))
					var listener net.Listener
					in(t, server, func() (err error) { listener, err = net.Listen("tcp", address); return err })
					defer listener.Close()
					g := start(t, client, c.order)
					var wg sync.WaitGroup
					for range connections {
						var near, far net.Conn
						in(t, client, func() (err error) { near, err = net.Dial("tcp", address); return err })
						far, err := listener.Accept()
						require.NoError(t, err)
						defer near.Close()
						wg.Go(func() { assert.NoError(t, g.race(near, far, size, c.fate, c.want, c.told)) })
					}
					wg.Wait()
					require.NoError(t, g.stdin.Close())
					<-g.ended
					assert.NoError(t, g.cmd.Wait())
					assert.False(t, rules(t, client), "the gate has left its rules")
				})
			}
		}
	}
}

// race has far closed after an exchange, and a request of size bytes sent on
// near.
func (g *running) race(near, far net.Conn, size int, fate protocol.Event, want error, told []protocol.Kind) error {
	local := near.LocalAddr().(*net.TCPAddr).AddrPort()
	_ = near.SetDeadline(time.Now().Add(patience))
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		if _, err := way[0].Write([]byte("hello")); err != nil {
			return err
		}
		if _, err := io.ReadFull(way[1], make([]byte, 5)); err != nil {
			return err
		}
	}
	far.Close()
	if _, err := g.await(func(e protocol.Event) bool {
		return e.Local == local && e.Event == fate.Event && e.Copies == fate.Copies
	}); err != nil {
		return err
	}
	// A reset is told once, to who asks first: the end of a long write, or the
	// read.
	_, wrote := near.Write(make([]byte, size))
	_, read := near.Read(make([]byte, 1))
	if !errors.Is(read, want) && !errors.Is(wrote, want) {
		return fmt.Errorf("%s: the client is told %v (write) and %v (read), not %v", local, wrote, read, want)
	}
	events, err := g.await(func(e protocol.Event) bool { return e.Local == local && e.Event == told[len(told)-1] })
	if err != nil {
		return err
	}
	var got []protocol.Kind
	last := int64(0)
	for _, e := range events {
		if e.Time < last {
			return fmt.Errorf("the clock goes back at %v", e)
		}
		last = e.Time
		if e.Local != local {
			continue
		}
		if e.Remote != near.RemoteAddr().(*net.TCPAddr).AddrPort() {
			return fmt.Errorf("%v: not the server", e)
		}
		if slices.Contains(told, e.Event) && !slices.Contains(got, e.Event) {
			got = append(got, e.Event)
		}
	}
	if !slices.Equal(got, told) {
		return fmt.Errorf("%s: the gate tells %v, not %v", local, got, told)
	}
	return nil
}

// TestEnds ends gates in every way: by SIGTERM the rules go; a gate that was
// killed leaves them, and the next one takes them over.
func TestEnds(t *testing.T) {
	client, _ := namespaces(t)
	killed := start(t, client, protocol.RSTFirst)
	require.NoError(t, killed.cmd.Process.Kill())
	<-killed.ended
	assert.True(t, rules(t, client))

	g := start(t, client, protocol.FINFirst)
	var listed []*nftables.Rule
	in(t, client, func() error {
		c, err := nftables.New()
		if err != nil {
			return err
		}
		listed, err = c.GetRules(table, &nftables.Chain{Table: table, Name: "input"})
		return err
	})
	assert.Len(t, listed, 1, "the rules are there once")

	another := exec.Command("ip", "netns", "exec", client, os.Args[0], "-order", protocol.FINLost, "-port", "1")
	another.Env = append(os.Environ(), asGate+"=1")
	_, err := another.StdinPipe()
	require.NoError(t, err)
	out, err := another.CombinedOutput()
	assert.Equal(t, 1, another.ProcessState.ExitCode(), "%v", err)
	assert.Contains(t, string(out), "another gate")

	require.NoError(t, g.cmd.Process.Signal(syscall.SIGTERM))
	<-g.ended
	assert.NoError(t, g.cmd.Wait())
	assert.False(t, rules(t, client))
}

// TestNoPermission: what is missing is told, with an exit code of its own.
func TestNoPermission(t *testing.T) {
	client, _ := namespaces(t)
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("there is no setpriv here to take a capability away with")
	}
	cmd := exec.Command("ip", "netns", "exec", client, "setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin",
		os.Args[0], "-order", protocol.FINLost, "-port", "1")
	cmd.Env = append(os.Environ(), asGate+"=1")
	out, err := cmd.CombinedOutput()
	assert.Equal(t, 127, cmd.ProcessState.ExitCode(), "%v", err)
	assert.Equal(t, "gate: no permission to change the rules of this network namespace: it takes CAP_NET_ADMIN\n", string(out))
}
