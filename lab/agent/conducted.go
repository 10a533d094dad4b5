package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"rstlab/lab/agent/protocol"
)

// listenPoll is how often Listening looks: the kernel tells nobody without
// privilege when a socket begins to listen.
const listenPoll = 2 * time.Millisecond

// resetWithin is how long a killed process may take to end.
const resetWithin = 5 * time.Second

// lastWords is how long the end of a process waits for the end of its output:
// longer only where children that outlive it hold on to that.
const lastWords = 200 * time.Millisecond

// grace is how long a process has between SIGTERM and SIGKILL at the end.
const grace = 200 * time.Millisecond

// host is a conducted host: its named processes and the line to its conductor.
type host struct {
	processes *processes

	out sync.Mutex
	enc *json.Encoder

	mu       sync.Mutex
	named    map[string]*process
	followed []*follower
}

type process struct {
	pid   int
	stdin *os.File
	ended chan struct{} // closed when the process has ended
}

// conducted obeys the commands on in until it ends or the container is
// stopped, then kills what still runs.
func conducted(in io.Reader, out io.Writer) error {
	h := &host{processes: theProcesses(), enc: json.NewEncoder(out), named: map[string]*process{}}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan error, 1)
	go func() { ended <- h.obey(in) }()
	h.say(protocol.Event{Ready: true})
	var err error
	select {
	case <-stop:
	case err = <-ended:
	}
	h.end()
	return err
}

// end ends every process: by SIGTERM, for those that have something to put
// away, and by SIGKILL soon after.
func (h *host) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, p := range h.named {
		_ = syscall.Kill(-p.pid, syscall.SIGTERM)
	}
	for _, p := range h.named {
		select {
		case <-p.ended:
		case <-ctx.Done():
			_ = syscall.Kill(-p.pid, syscall.SIGKILL)
		}
	}
}

func (h *host) obey(in io.Reader) error {
	dec := json.NewDecoder(in)
	for {
		var c protocol.Command
		if err := dec.Decode(&c); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a command: %w", err)
		}
		switch c.Do {
		case protocol.Run, protocol.Listening: // these take time; the next command does not wait for them
			go h.answer(c)
		default:
			h.answer(c)
		}
	}
}

func (h *host) say(e protocol.Event) {
	h.out.Lock()
	defer h.out.Unlock()
	_ = h.enc.Encode(e) // a conductor that is gone closes our input too
}

func (h *host) answer(c protocol.Command) {
	e, err := h.do(c)
	e.Re, e.Time = c.ID, time.Now().UnixNano()
	if err != nil {
		e.Err = err.Error()
	}
	h.say(e)
}

func (h *host) do(c protocol.Command) (protocol.Event, error) {
	switch c.Do {
	case protocol.Start:
		return h.start(c)
	case protocol.Signal:
		return protocol.Event{}, h.signal(c)
	case protocol.Input:
		p, err := h.process(c.Name)
		if err != nil {
			return protocol.Event{}, err
		}
		_, err = p.stdin.Write(c.Data)
		return protocol.Event{}, err
	case protocol.Run:
		return h.run(c.Argv)
	case protocol.Read:
		data, err := os.ReadFile(c.Path)
		return protocol.Event{Data: data}, err
	case protocol.Write:
		return protocol.Event{}, write(c.Path, c.Data)
	case protocol.Follow:
		return protocol.Event{}, h.follow(c.Name, c.Path)
	case protocol.Reset:
		return protocol.Event{}, h.reset()
	case protocol.Listening:
		return protocol.Event{}, h.listening(c)
	case protocol.Destroy:
		return protocol.Event{}, clearSockets()
	case protocol.Forget:
		return protocol.Event{}, forget()
	case protocol.Packet:
		return protocol.Event{}, packet(c.Data)
	case protocol.Datagram:
		conn, err := net.Dial("udp", c.Path)
		if err != nil {
			return protocol.Event{}, err
		}
		defer conn.Close()
		_, err = conn.Write(c.Data)
		return protocol.Event{}, err
	}
	return protocol.Event{}, fmt.Errorf("unknown command %q", c.Do)
}

// write makes a file, and the folders that it lies in. A symbolic link is
// replaced: images of nginx have links to standard error in place of logs.
func write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSymlink {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return os.WriteFile(path, data, 0o644)
}

// packet sends an IPv4 packet to the address in its header.
func packet(data []byte) error {
	const header, destination = 20, 16
	if len(data) < header {
		return fmt.Errorf("%d bytes are no IPv4 packet", len(data))
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.IPPROTO_RAW)
	if err != nil {
		return fmt.Errorf("opening a raw socket: %w", err)
	}
	defer syscall.Close(fd)
	return syscall.Sendto(fd, data, 0, &syscall.SockaddrInet4{Addr: [4]byte(data[destination:])})
}

func (h *host) signal(c protocol.Command) error {
	p, err := h.process(c.Name)
	if err != nil {
		return err
	}
	signal := syscall.Signal(c.Signal)
	switch c.To {
	case protocol.Leader:
		return syscall.Kill(p.pid, signal)
	case protocol.Workers:
		all, err := running()
		if err != nil {
			return err
		}
		var errs []error
		signalled := false
		for _, other := range all {
			if other.group == p.pid && other.pid != p.pid {
				signalled = true
				errs = append(errs, syscall.Kill(other.pid, signal))
			}
		}
		if !signalled {
			return fmt.Errorf("%s has no workers", c.Name)
		}
		return errors.Join(errs...)
	}
	return syscall.Kill(-p.pid, signal)
}

// reset brings the host back to where it was when it started.
func (h *host) reset() error {
	h.mu.Lock()
	for _, f := range h.followed {
		f.end()
	}
	h.followed = nil
	var pids []int
	for _, p := range h.named {
		pids = append(pids, -p.pid)
	}
	h.mu.Unlock()
	if os.Getpid() == 1 {
		pids = []int{-1} // kill(2): every process of this PID namespace but the caller
	}
	for deadline := time.Now().Add(resetWithin); ; {
		for _, pid := range pids {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
				return err
			}
		}
		h.mu.Lock()
		left := len(h.named)
		h.mu.Unlock()
		if os.Getpid() == 1 {
			all, err := running()
			if err != nil {
				return err
			}
			left += len(all) - 1
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes do not end", left)
		}
		time.Sleep(time.Millisecond) // the kernel tells nobody when the last child of others has gone
	}
}

func (h *host) process(name string) (*process, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.named[name]
	if p == nil {
		return nil, fmt.Errorf("no process %q runs here", name)
	}
	return p, nil
}

func (h *host) start(c protocol.Command) (protocol.Event, error) {
	if _, err := h.process(c.Name); err == nil {
		return protocol.Event{}, fmt.Errorf("%q runs already", c.Name)
	}
	var theirs [3]*os.File
	var ours [3]*os.File
	for i := range theirs {
		r, w, err := os.Pipe()
		if err != nil {
			return protocol.Event{}, err
		}
		if i == 0 {
			theirs[i], ours[i] = r, w
		} else {
			theirs[i], ours[i] = w, r
		}
	}
	h.mu.Lock() // held so that the process is known by name before its end can be told
	pid, exited, err := h.processes.start(c.Argv, theirs)
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		h.mu.Unlock()
		for _, f := range ours {
			f.Close()
		}
		return protocol.Event{}, err
	}
	p := &process{pid: pid, stdin: ours[0], ended: make(chan struct{})}
	h.named[c.Name] = p
	h.mu.Unlock()

	var output sync.WaitGroup
	output.Go(func() {
		if c.Raw {
			h.bytes(c.Name, ours[1])
		} else {
			h.lines(c.Name, protocol.Stdout, ours[1])
		}
	})
	output.Go(func() { h.lines(c.Name, protocol.Stderr, ours[2]) })
	silent := make(chan struct{})
	go func() { output.Wait(); close(silent) }()
	go func() {
		exit := <-exited
		close(p.ended)
		h.mu.Lock()
		delete(h.named, c.Name)
		h.mu.Unlock()
		p.stdin.Close()
		select { // its last word comes before its end
		case <-silent:
		case <-time.After(lastWords):
		}
		h.say(protocol.Event{Name: c.Name, PID: pid, Exit: &exit})
	}()
	return protocol.Event{Name: c.Name, PID: pid}, nil
}

func (h *host) lines(name string, stream protocol.Stream, r *os.File) {
	defer r.Close()
	for b := bufio.NewReader(r); ; {
		line, err := b.ReadBytes('\n')
		if line = bytes.TrimSuffix(line, []byte("\n")); len(line) > 0 || err == nil {
			h.say(protocol.Event{Name: name, Stream: stream, Data: line})
		}
		if err != nil {
			return
		}
	}
}

func (h *host) bytes(name string, r *os.File) {
	defer r.Close()
	for buf := make([]byte, 64<<10); ; {
		n, err := r.Read(buf)
		if n > 0 {
			h.say(protocol.Event{Name: name, Stream: protocol.Stdout, Data: buf[:n]})
		}
		if err != nil {
			return
		}
	}
}

func (h *host) run(argv []string) (protocol.Event, error) {
	var stdout, stderr bytes.Buffer
	null, err := os.Open(os.DevNull)
	if err != nil {
		return protocol.Event{}, err
	}
	defer null.Close()
	outR, outW, err := os.Pipe()
	if err != nil {
		return protocol.Event{}, err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		return protocol.Event{}, err
	}
	pid, exited, err := h.processes.start(argv, [3]*os.File{null, outW, errW})
	outW.Close()
	errW.Close()
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(&stdout, outR); outR.Close() })
	wg.Go(func() { _, _ = io.Copy(&stderr, errR); errR.Close() })
	wg.Wait()
	if err != nil {
		return protocol.Event{}, err
	}
	exit := <-exited
	return protocol.Event{PID: pid, Data: stdout.Bytes(), Errout: stderr.Bytes(), Exit: &exit}, nil
}

// listening waits until every port of c listens, for as long as the process
// c.Name lives and c.Within has not passed.
func (h *host) listening(c protocol.Command) error {
	for deadline := time.Now().Add(time.Duration(c.Within)); ; {
		open, err := listeners()
		if err != nil {
			return err
		}
		missing := 0
		for _, port := range c.Ports {
			if !open[port] {
				missing = port
			}
		}
		if missing == 0 {
			return nil
		}
		p, err := h.process(c.Name)
		if err != nil {
			return fmt.Errorf("%s ended before it listened on port %d", c.Name, missing)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not listen on port %d; the ports that are listened on here: %v", c.Name, missing, slices.Sorted(maps.Keys(open)))
		}
		select {
		case <-p.ended:
		case <-time.After(listenPoll):
		}
	}
}
