// Command scripted is a server that does to each connection what its script
// says (package script). Its argument is a script.Server in JSON; without one
// it answers every request with 200 and keeps every connection.
//
// Each event is one JSON line on stdout, so that connections and executions can
// be counted. A line {"tell":"event"} on stdin tells the scripts that wait for
// it. The connections of scripts that have ended stay open until the program
// ends.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"rstlab/lab/script"
	"rstlab/lab/script/play"
)

const port = 8080

func main() {
	var does script.Server
	if len(os.Args) > 1 {
		if err := json.Unmarshal([]byte(os.Args[1]), &does); err != nil {
			fail(2, fmt.Errorf("no script.Server: %w", err))
		}
	}
	for _, ops := range does.Conns {
		if err := play.Check(ops); err != nil {
			fail(2, err)
		}
	}
	l, err := listen(port, does.Backlog, does.Buffer)
	if err != nil {
		fail(1, err)
	}
	s := &server{does: does, out: os.Stdout, events: play.NewEvents()}
	s.log(event{Event: "listening", Port: l.Addr().(*net.TCPAddr).Port, Server: "scripted", Version: runtime.Version()})
	go s.hear(os.Stdin)
	fail(1, s.serve(l))
}

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(code)
}

// event is a line of stdout.
type event struct {
	Time       float64 `json:"time"` // seconds since 1970
	Event      string  `json:"event"`
	N          int     `json:"n,omitempty"`          // request: so many have been read
	Connection int     `json:"connection,omitempty"` // all but listening
	Method     string  `json:"method,omitempty"`     // request
	URL        string  `json:"url,omitempty"`        // request
	Name       string  `json:"name,omitempty"`       // said
	Op         string  `json:"op,omitempty"`         // failed: which
	Error      string  `json:"error,omitempty"`      // failed
	Remote     string  `json:"remote,omitempty"`     // connection, close
	Port       int     `json:"port,omitempty"`       // listening
	Server     string  `json:"server,omitempty"`     // listening
	Version    string  `json:"version,omitempty"`    // listening: of Go, which plays the scripts
}

type server struct {
	does   script.Server
	events *play.Events

	mu       sync.Mutex
	out      io.Writer
	requests int
	kept     []net.Conn // Go would close a connection that nobody knows
}

func (s *server) log(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Event == "request" {
		s.requests++
		e.N = s.requests
	}
	e.Time = float64(time.Now().UnixMilli()) / 1000
	w := json.NewEncoder(s.out)
	w.SetEscapeHTML(false)
	_ = w.Encode(e) // whoever does not listen misses it
}

// hear obeys the conductor. The end of its input is not the server's.
func (s *server) hear(in io.Reader) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var told struct{ Tell string }
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil || told.Tell == "" {
			fmt.Fprintf(os.Stderr, "not understood: %s\n", lines.Bytes())
			continue
		}
		s.events.Tell(told.Tell)
	}
}

// listen does by itself what net.Listen does, with a backlog and a receive
// buffer of one's own. The buffer is set before, so that the connections have
// it from the SYN-ACK on (tcp(7)).
func listen(port, backlog, buffer int) (net.Listener, error) {
	if backlog == 0 {
		backlog = 1 << 16 // the kernel makes it net.core.somaxconn
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close() // net.FileListener has its own
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if buffer > 0 {
		if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, buffer); err != nil {
			return nil, os.NewSyscallError("setsockopt", err)
		}
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: port}); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		return nil, os.NewSyscallError("listen", err)
	}
	return net.FileListener(f)
}

func (s *server) serve(l net.Listener) error {
	defer l.Close() // it is open as long as it is known
	for s.does.Deaf {
		time.Sleep(time.Hour)
	}
	inside, err := play.ServerTLS()
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.kept = append(s.kept, conn)
		s.mu.Unlock()
		s.log(event{Event: "connection", Connection: n, Remote: conn.RemoteAddr().String()})
		c := &play.Conn{TCP: conn.(*net.TCPConn), TLS: inside, Server: true, Events: s.events,
			Say: func(name string) { s.log(event{Event: "said", Connection: n, Name: name}) },
			Ran: func(method, url string) {
				s.log(event{Event: "request", Connection: n, Method: method, URL: url})
			}}
		go s.play(c, n)
	}
}

// play plays the script of the nth connection. Where it fails it ends with a
// Close.
func (s *server) play(c *play.Conn, n int) {
	_ = c.TCP.SetKeepAlive(false) // Go's probes are no part of a script
	c.Play(s.does.Script(n), func(op script.Op, err error) bool {
		// A peer that leaves between two requests is no failure.
		if !(op.What == script.Request && errors.Is(err, io.EOF)) {
			s.log(event{Event: "failed", Connection: n, Op: op.String(), Error: err.Error()})
		}
		if !c.Closed {
			_ = c.Close()
		}
		return false
	})
	if c.Closed {
		s.log(event{Event: "close", Connection: n, Remote: c.TCP.RemoteAddr().String()})
	}
}
