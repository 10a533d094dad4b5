package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"rstlab/lab/agent/protocol"
)

// host is a container of a bench and the line to the agent that is its PID 1.
type host struct {
	name      string
	container testcontainers.Container
	addr      netip.Addr // on the bench's network; the zero value for a tap
	client    client.APIClient
	timeouts  Timeouts

	clock clock
	cut   atomic.Bool // a step has ended it

	conn  io.WriteCloser
	write sync.Mutex

	mu      sync.Mutex
	last    int // ID of the last command
	waiting map[int]chan protocol.Event
	running map[string]*program
	stderr  bytes.Buffer  // of the agent itself
	why     error         // the agent is gone, where we ended it
	gone    chan struct{} // closed when the agent no longer speaks
	ready   chan struct{} // closed when it speaks first
}

// program is a process that runs in a host.
type program struct {
	name   string
	output func(protocol.Stream, []byte)
	exited chan struct{} // closed after exit is set
	exit   protocol.Exit
	errout []byte // the end of its standard error
}

// request is the container of a service: its own image and program, this
// process's labels, one capability at a time, nothing published.
type request struct {
	service
	image     string // ID
	container string // its name on the engine; "" lets the engine choose
	labels    map[string]string
	network   string // name of the bench's network; "" for a tap
	shares    string // ID of the container whose namespace a tap shares
	keep      bool   // outlives this process
	own       bool   // runs its image's own program; nobody conducts it
	publish   bool   // its ports, on 127.0.0.1
	mounts    []mount.Mount

	extraHosts []string // "name:address", beside those of the network's DNS
}

// start creates and starts the container. A conducted host has its agent's
// first word read when start returns. On error nothing is left.
func (e *Engine) start(ctx context.Context, r request) (h *host, err error) {
	h = &host{name: r.name, client: e.client, timeouts: e.Timeouts,
		waiting: map[int]chan protocol.Event{}, running: map[string]*program{},
		gone: make(chan struct{}), ready: make(chan struct{})}
	var config *container.HostConfig
	req := testcontainers.ContainerRequest{
		Name:   r.container,
		Image:  r.image,
		Labels: r.labels,
		ConfigModifier: func(c *container.Config) {
			if r.own {
				c.OpenStdin = true
				return
			}
			c.Cmd = []string{} // no program: the agent is conducted
			c.Entrypoint = []string{"/lab/agent"}
			c.OpenStdin, c.AttachStdin, c.AttachStdout, c.AttachStderr = true, true, true, true
			c.StdinOnce = !r.keep // the agent's input ends with this process, and with it the host
		},
		HostConfigModifier: func(c *container.HostConfig) {
			config = c
			c.CapAdd, c.CapDrop, c.Sysctls = r.capAdd, r.capDrop, r.sysctls
			c.AutoRemove = !r.keep
			c.Mounts = append(c.Mounts, r.mounts...)
			c.ExtraHosts = r.extraHosts
			if r.service.tap() {
				c.NetworkMode = container.NetworkMode("container:" + r.shares)
			}
			if r.publish {
				c.PortBindings = loopback(r.expose)
			}
		},
	}
	if r.publish { // testcontainers drops the binding of a port that it is not told of
		for _, port := range r.expose {
			req.ExposedPorts = append(req.ExposedPorts, strconv.Itoa(port)+"/tcp")
		}
	}
	if r.network != "" {
		req.Networks = []string{r.network}
		req.NetworkAliases = map[string][]string{r.network: append([]string{r.name}, r.aliases...)}
	}
	for _, f := range r.files { // a conducted host's are brought by each play
		if !r.own {
			break
		}
		req.Files = append(req.Files, testcontainers.ContainerFile{HostFilePath: f.from, ContainerFilePath: f.to, FileMode: 0o644})
	}
	var hooks testcontainers.ContainerLifecycleHooks
	if !r.own {
		hooks.PostCreates = []testcontainers.ContainerHook{h.attach}
	}
	if !r.publish { // testcontainers publishes what an image EXPOSEs, on every address
		hooks.PreCreates = []testcontainers.ContainerRequestHook{func(context.Context, testcontainers.ContainerRequest) error {
			config.PortBindings = nil
			return nil
		}}
	}
	req.LifecycleHooks = []testcontainers.ContainerLifecycleHooks{hooks}
	c, err := e.provider.CreateContainer(ctx, req)
	if c != nil {
		h.container = c
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("starting host %s: %w", r.name, err)
			_ = h.remove()
			h = nil
		}
	}()
	if err != nil {
		return h, err
	}
	if err := c.Start(ctx); err != nil {
		return h, err
	}
	if !r.own {
		select {
		case <-h.ready:
		case <-h.gone:
			return h, h.goneError()
		case <-ctx.Done():
			return h, ctx.Err()
		}
	}
	if r.network != "" {
		h.addr, err = h.address(ctx, r.network)
	}
	return h, err
}

// attach opens the line to the agent before it starts, so that not a word of
// it is missed.
func (h *host) attach(ctx context.Context, c testcontainers.Container) error {
	attached, err := h.client.ContainerAttach(ctx, c.GetContainerID(), client.ContainerAttachOptions{
		Stream: true, Stdin: true, Stdout: true, Stderr: true,
	})
	if err != nil {
		return fmt.Errorf("attaching to the agent: %w", err)
	}
	h.conn = attached.Conn
	events, w := io.Pipe()
	go func() { // the agent's output is always drained: one that is not stalls it
		_, err := stdcopy.StdCopy(w, lockedWriter{&h.mu, &h.stderr}, attached.Reader)
		w.CloseWithError(err)
	}()
	go h.listen(events)
	return nil
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (h *host) listen(r *io.PipeReader) {
	defer close(h.gone)
	defer r.Close()
	for dec := json.NewDecoder(r); ; {
		var e protocol.Event
		if err := dec.Decode(&e); err != nil {
			return
		}
		if e.Ready {
			close(h.ready)
			continue
		}
		h.mu.Lock()
		p := h.running[e.Name]
		answered := h.waiting[e.Re]
		if e.Re != 0 {
			delete(h.waiting, e.Re)
		}
		if p != nil && e.Exit != nil && e.Re == 0 {
			delete(h.running, e.Name)
		}
		var output func(protocol.Stream, []byte)
		if p != nil {
			output = p.output
		}
		h.mu.Unlock()
		switch {
		case e.Re != 0:
			if answered != nil {
				answered <- e
			}
		case p == nil: // a late word of a process that has been told ended
		case e.Exit != nil:
			p.exit = *e.Exit
			close(p.exited)
		default:
			if e.Stream == protocol.Stderr {
				h.mu.Lock()
				p.errout = append(append(p.errout, e.Data...), '\n')
				p.errout = p.errout[max(0, len(p.errout)-4096):]
				h.mu.Unlock()
			}
			if output != nil {
				output(e.Stream, e.Data)
			}
		}
	}
}

func (h *host) goneError() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.why != nil {
		return h.why
	}
	if said := strings.TrimSpace(h.stderr.String()); said != "" {
		return fmt.Errorf("host %s is gone: %s", h.name, said)
	}
	return fmt.Errorf("host %s is gone", h.name)
}

// ask sends a command to the agent and returns its answer.
func (h *host) ask(ctx context.Context, c protocol.Command) (protocol.Event, error) {
	late := fmt.Errorf("the agent did not answer within %s", h.timeouts.Agent)
	ctx, cancel := context.WithTimeoutCause(ctx, h.timeouts.Agent, late)
	defer cancel()
	answered := make(chan protocol.Event, 1)
	h.mu.Lock()
	h.last++
	c.ID = h.last
	h.waiting[c.ID] = answered
	h.mu.Unlock()
	line, err := json.Marshal(c)
	if err != nil {
		return protocol.Event{}, err
	}
	asked := time.Now()
	h.write.Lock()
	_, err = h.conn.Write(append(line, '\n'))
	h.write.Unlock()
	if err != nil {
		return protocol.Event{}, fmt.Errorf("host %s is out of reach: %s: %w", h.name, c.Do, err)
	}
	select {
	case e := <-answered:
		h.mu.Lock()
		h.clock.saw(asked, time.Unix(0, e.Time), time.Now())
		h.mu.Unlock()
		if e.Err != "" {
			return e, fmt.Errorf("host %s: %s: %s", h.name, strings.TrimSpace(string(c.Do)+" "+c.Name), e.Err)
		}
		return e, nil
	case <-h.gone:
		return protocol.Event{}, h.goneError()
	case <-ctx.Done():
		if context.Cause(ctx) == late {
			return protocol.Event{}, h.stuck(c.Do, late)
		}
		return protocol.Event{}, fmt.Errorf("host %s: %s: %w", h.name, c.Do, context.Cause(ctx))
	}
}

// clock is how far a host's clock is ahead of ours, as its answers tell: the
// quickest knows best, as in NTP (RFC 5905, 8). Within what that one cannot
// tell, the two are the same.
type clock struct{ ahead, trip time.Duration }

func (c *clock) saw(asked, theirs, answered time.Time) {
	trip := answered.Sub(asked)
	if c.trip != 0 && trip >= c.trip {
		return
	}
	c.trip, c.ahead = trip, theirs.Sub(asked.Add(trip/2))
	if c.ahead.Abs() <= trip/2 {
		c.ahead = 0
	}
}

// clockAhead returns how far the host's clock is ahead of ours.
func (h *host) clockAhead() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock.ahead
}

// run starts a program in the host. Output, if not nil, is called with each
// line of its output, or with each piece where raw is set.
func (h *host) run(ctx context.Context, name string, argv []string, raw bool, output func(protocol.Stream, []byte)) (*program, error) {
	p := &program{name: name, output: output, exited: make(chan struct{})}
	h.mu.Lock()
	h.running[name] = p
	h.mu.Unlock()
	_, err := h.ask(ctx, protocol.Command{Do: protocol.Start, Name: name, Argv: argv, Raw: raw})
	if err != nil {
		h.mu.Lock()
		delete(h.running, name)
		h.mu.Unlock()
		return nil, err
	}
	return p, nil
}

// follow calls each with every line of a file of the host, as it is written,
// until the host is reset.
func (h *host) follow(ctx context.Context, path string, each func(line []byte)) error {
	h.mu.Lock()
	h.running[path] = &program{name: path, exited: make(chan struct{}), output: func(_ protocol.Stream, line []byte) { each(line) }}
	h.mu.Unlock()
	_, err := h.ask(ctx, protocol.Command{Do: protocol.Follow, Name: path, Path: path})
	return err
}

// reset ends everything that runs in the host.
func (h *host) reset(ctx context.Context) error {
	h.mu.Lock()
	for _, p := range h.running {
		p.output = nil // what they still say is of the play before
	}
	h.mu.Unlock()
	_, err := h.ask(ctx, protocol.Command{Do: protocol.Reset})
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.running)
	return err
}

// ended returns how a program ended, with the end of what it wrote to standard
// error.
func (h *host) ended(p *program) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	how := fmt.Sprintf("exit code %d", p.exit.Code)
	if p.exit.Signal != 0 {
		how = fmt.Sprintf("signal %d", p.exit.Signal)
	}
	return errors.New(strings.TrimSpace(fmt.Sprintf("host %s: %s has ended: %s\n%s", h.name, p.name, how, tail(string(p.errout), 8))))
}

// exec runs a command in the host to its end and returns its output.
func (h *host) exec(ctx context.Context, argv ...string) (stdout, stderr string, code int, err error) {
	e, err := h.ask(ctx, protocol.Command{Do: protocol.Run, Argv: argv})
	if err != nil {
		return "", "", 0, err
	}
	return string(e.Data), string(e.Errout), e.Exit.Code, nil
}

// kill ends a program by SIGKILL and waits until it has ended.
func (h *host) kill(ctx context.Context, p *program) error {
	if _, err := h.ask(ctx, protocol.Command{Do: protocol.Signal, Name: p.name, Signal: 9}); err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-h.gone:
		return h.goneError()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// address returns the host's address on the bench's network.
func (h *host) address(ctx context.Context, network string) (netip.Addr, error) {
	inspected, err := h.client.ContainerInspect(ctx, h.container.GetContainerID(), client.ContainerInspectOptions{})
	if err != nil {
		return netip.Addr{}, err
	}
	for name, n := range inspected.Container.NetworkSettings.Networks {
		if name == network && n.IPAddress.IsValid() {
			return n.IPAddress, nil
		}
	}
	return netip.Addr{}, errors.New("it has no address on the bench's network")
}

// remove removes the container, whatever it does. It works when the context of
// the play has been cancelled.
func (h *host) remove() error {
	if h.conn != nil {
		h.conn.Close()
	}
	if h.container == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.timeouts.Down)
	defer cancel()
	for {
		// Without a stop first: there is nothing in a host that wants to end gracefully.
		_, err := h.client.ContainerRemove(ctx, h.container.GetContainerID(), client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case err == nil, cerrdefs.IsNotFound(err):
			return nil
		case client.IsErrConnectionFailed(err):
			return err // the engine is out of reach, and the host ends by itself
		}
		// It goes by itself (AutoRemove) and is in the network until it has gone;
		// podman keeps a host for as long as its tap is there.
		if await(ctx, 50*time.Millisecond, nil) != nil {
			return err
		}
	}
}
