// Command raw is a client of the lab that is no HTTP library: it does on each
// connection what a script says (package script). The contract that it keeps is
// the documentation of rstlab/lab/clients.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"rstlab/lab/script"
	"rstlab/lab/script/play"
)

type ready struct {
	Ready   bool   `json:"ready"`
	Client  string `json:"client"`
	Version string `json:"version"`
	Runtime string `json:"runtime"`
}

// input is a line of input: a request, or what the conductor tells.
type input struct {
	Tell string `json:"tell"`

	N      int         `json:"n"`
	URL    string      `json:"url"` // host:port
	Conn   string      `json:"conn"`
	Script []script.Op `json:"script"`
}

type said struct {
	Said string `json:"said"`
}

type reply struct {
	N         int      `json:"n"`
	Status    int      `json:"status,omitempty"`
	Error     *failure `json:"error,omitempty"`
	LocalPort int      `json:"local_port"`
	Body      *string  `json:"body,omitempty"`
	Bytes     *int     `json:"bytes,omitempty"`
	MS        float64  `json:"ms"`
}

type failure struct {
	Class string `json:"class"`
	Text  string `json:"text"`
}

// exit ends the program with its own code.
type exit struct {
	code int
	text string
}

func (e exit) Error() string { return e.text }

func wrong(format string, a ...any) error       { return exit{2, fmt.Sprintf(format, a...)} }
func unsupported(format string, a ...any) error { return exit{127, fmt.Sprintf(format, a...)} }

func main() {
	err := run(os.Stdin, os.Stdout)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, err)
	if e, ok := errors.AsType[exit](err); ok {
		os.Exit(e.code)
	}
	os.Exit(1)
}

func run(in io.Reader, out io.Writer) error {
	c := &client{out: json.NewEncoder(out), events: play.NewEvents(), conns: map[string]*conn{}}
	c.out.SetEscapeHTML(false)
	c.write(ready{true, "raw", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
	r := bufio.NewReader(in)
	if ok, err := readLine(r, &struct{}{}); !ok {
		return err
	}
	for {
		var line input
		if ok, err := readLine(r, &line); err != nil {
			return err
		} else if !ok {
			break
		}
		if line.Tell != "" {
			c.events.Tell(line.Tell)
			continue
		}
		if _, _, err := net.SplitHostPort(line.URL); err != nil || line.N == 0 {
			return wrong("a request needs n, from 1, and host:port as its url: %v", err)
		}
		if err := play.Check(line.Script); err != nil {
			return unsupported("%v", err)
		}
		c.begin(line)
	}
	c.events.End()
	c.steps.Wait()
	return nil
}

// readLine decodes one line of input into v. It returns false, nil at the end of input.
func readLine(r *bufio.Reader, v any) (bool, error) {
	line, err := r.ReadBytes('\n')
	if err != nil && err != io.EOF {
		return false, err
	}
	if len(line) == 0 {
		return false, nil
	}
	line = bytes.TrimSpace(line)
	if !bytes.HasPrefix(line, []byte("{")) || !json.Valid(line) {
		return false, wrong("not a JSON object: %s", line)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if key, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return false, unsupported("raw does not support %s", key)
		}
		return false, wrong("%s: %v", line, err)
	}
	return true, nil
}

type client struct {
	events *play.Events
	conns  map[string]*conn
	steps  sync.WaitGroup

	mu  sync.Mutex
	out *json.Encoder
}

func (c *client) write(line any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.out.Encode(line) // who does not listen will close our input
}

// conn is a connection by its name: one after the other, and one step at a time.
type conn struct {
	*client
	mu   sync.Mutex
	todo []input // the first is being played
	open *play.Conn
}

// begin has a step played when those before it on its connection have been.
func (c *client) begin(step input) {
	n := c.conns[step.Conn]
	if n == nil {
		n = &conn{client: c}
		c.conns[step.Conn] = n
	}
	c.steps.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.todo = append(n.todo, step); len(n.todo) == 1 {
		go n.work()
	}
}

func (n *conn) work() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.todo) > 0 {
		step := n.todo[0]
		n.mu.Unlock()
		n.write(n.play(step))
		n.steps.Done()
		n.mu.Lock()
		n.todo = n.todo[1:]
	}
}

func (n *conn) play(step input) reply {
	rep, start := reply{N: step.N}, time.Now()
	failed := func(_ script.Op, err error) bool {
		if rep.Error == nil {
			rep.Error = &failure{classify(err), err.Error()}
		}
		return true // a response may be there to be read though the request could not be written
	}
	if n.open == nil || n.open.Closed {
		conn, err := n.dial(step)
		if err != nil {
			failed(script.Op{}, err)
		}
		n.open = conn
	}
	if n.open != nil {
		n.open.Last = play.Response{}
		rep.LocalPort = n.open.TCP.LocalAddr().(*net.TCPAddr).Port
		n.open.Play(step.Script, failed)
		if last := n.open.Last; last.Status != 0 {
			rep.Status, rep.Body, rep.Bytes = last.Status, &last.Body, &last.Bytes
		}
	}
	rep.MS = math.Round(float64(time.Since(start))/float64(time.Millisecond)*10) / 10
	return rep
}

func (n *conn) dial(step input) (*play.Conn, error) {
	d := net.Dialer{KeepAlive: -1} // Go's probes are no part of a script
	if ops := step.Script; len(ops) > 0 && ops[0].Do == script.DoBuffer {
		// Before connect(2), so that the SYN has a small window already.
		d.Control = func(_, _ string, c syscall.RawConn) (err error) {
			if e := c.Control(func(fd uintptr) {
				err = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, ops[0].Bytes))
			}); e != nil {
				return e
			}
			return err
		}
	}
	tcp, err := d.Dial("tcp4", step.URL)
	if err != nil {
		return nil, play.Bare(err)
	}
	host, _, _ := net.SplitHostPort(step.URL)
	return &play.Conn{TCP: tcp.(*net.TCPConn), TLS: play.ClientTLS(host), Events: n.events,
		Say: func(event string) { n.write(said{event}) },
		Ran: func(_, _ string) {}}, nil
}

func classify(err error) string {
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	switch {
	case is(syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED):
		return "reset"
	case is(syscall.ECONNREFUSED):
		return "refused"
	case is(syscall.EHOSTUNREACH, syscall.ENETUNREACH):
		return "unreachable"
	case is(syscall.ETIMEDOUT):
		return "timeout"
	case is(io.EOF, io.ErrUnexpectedEOF):
		return "eof"
	}
	return "other"
}
