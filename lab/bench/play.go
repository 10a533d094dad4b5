package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"rstlab/lab/agent/protocol"
	"rstlab/lab/scenario"
	"rstlab/lab/script"
	"rstlab/lab/tcp"
)

// ErrUnsupported says that a part cannot do what the scenario asks: a client
// without the option, an nginx without the directive.
var ErrUnsupported = errors.New("unsupported")

// ErrSetup says that the bench did not come to stand or its servers did not
// start: nothing was played.
var ErrSetup = errors.New("setup failed")

// play is one scenario being played on a bench.
type play struct {
	*Bench
	scenario scenario.Scenario
	kernel   *Kernel
	began    time.Time
	counted  map[scenario.Host]map[string]int64 // each host's counters when it began
	progress Progress

	servers map[scenario.Host]*program
	client  *program
	gates   map[scenario.Host]*gate

	mu     sync.Mutex
	news   chan struct{}              // closed and made anew with everything that is heard
	logs   map[string][]string        // nginx's, by file
	said   map[scenario.Host][]string // what scripts have said and no step has heard yet
	ready  *clientReady
	broken error        // how the client broke its contract
	begun  map[int]bool // requests without an outcome yet
	asked  int          // the number of the last request

	seen        scenario.Observation
	lastOutcome time.Time
	before      time.Time // when the step before the present one was taken
}

// The two logs that a config in nginx/ writes.
const (
	errorLog  = "/var/log/nginx/error.log"
	accessLog = "/var/log/nginx/access.log"
)

// Evidence is what was seen of a play, and the capture that it was seen in.
type Evidence struct {
	scenario.Observation
	Capture []byte // pcapng, all taps
}

// Play plays a scenario on a bench that is new or has been reset. It goes on recording until settled
// says that everything declared has been seen, or Timeouts.Settle has passed,
// and then until nothing moves on the wire any more.
func (b *Bench) Play(ctx context.Context, s scenario.Scenario, kernel *Kernel, settled func(scenario.Observation) bool, progress Progress) (Evidence, error) {
	p := &play{Bench: b, scenario: s.Filled(), kernel: kernel, progress: progress, news: make(chan struct{}),
		servers: map[scenario.Host]*program{}, gates: map[scenario.Host]*gate{},
		logs: map[string][]string{}, said: map[scenario.Host][]string{}, begun: map[int]bool{}}
	p.seen.Names = b.names()
	p.seen.System = "Linux " + strings.SplitN(b.engine.Kernel, "-", 2)[0] // without its build
	p.seen.Versions = map[scenario.Host]string{}
	if s.Kernel && !kernel.whole(ctx) {
		if lost := p.lost(ctx); lost != nil {
			return Evidence{}, fmt.Errorf("%w: %w", ErrSetup, lost)
		}
		return Evidence{}, fmt.Errorf("%w: only a kernel that tells why it sends each RST (tcp:tcp_send_reset, Linux 6.10) can tell this one", ErrUnsupported)
	}
	kernel.settle(ctx) // what the play before did is told
	p.began = time.Now()

	progress.Say(s.ID, "starting its servers")
	var err error
	if p.counted, err = p.setUp(ctx); err != nil {
		if !errors.Is(err, ErrUnsupported) {
			err = fmt.Errorf("%w: %w", ErrSetup, errors.Join(p.lost(ctx), err))
		}
		return Evidence{}, err
	}
	playing, over := p.playing(ctx)
	defer over()
	if err = p.steps(playing, settled); err == nil {
		p.seen.Counters, err = p.counters(ctx)
	}
	if !errors.Is(err, ErrUnsupported) {
		err = errors.Join(p.lost(ctx), err)
	}
	err = errors.Join(err, p.observe()) // a play that broke off leaves what was seen until then
	p.askKernel(ctx)
	comments := map[int]string{}
	for _, c := range p.seen.Conversations {
		if len(c.Resets) > 0 {
			maps.Copy(comments, tcp.Comments(c))
		}
	}
	var capture bytes.Buffer
	err = errors.Join(err, p.write(&capture, comments))
	p.seen.Took = time.Since(p.began)
	return Evidence{Observation: p.seen, Capture: capture.Bytes()}, err
}

// askKernel brings the kernel's own reasons to bear on what the wire showed, and
// its silence where it was heard whole.
func (p *play) askKernel(ctx context.Context) {
	p.seen.Kernel = p.kernel.between(ctx, p.seen.Names, p.began)
	if p.seen.Kernel == nil {
		return
	}
	evidence := tcp.Evidence{}
	if slices.ContainsFunc(p.seen.Conversations, func(c tcp.Conversation) bool { return len(c.Resets) > 0 }) {
		evidence.KernelWhole = p.kernel.whole(ctx)
	}
	for _, k := range p.seen.Kernel {
		evidence.Kernel = append(evidence.Kernel, k.KernelReset)
	}
	evidence.Refine(p.seen.Conversations)
}

// steps plays the steps and records until it is over.
func (p *play) steps(ctx context.Context, settled func(scenario.Observation) bool) error {
	for _, step := range p.scenario.Play {
		if n := len(p.seen.Steps); n > 0 {
			p.before = p.seen.Steps[n-1].Time
		}
		p.seen.Steps = append(p.seen.Steps, scenario.Taken{Step: step, Time: p.now()})
		if err := p.step(ctx, step); err != nil {
			return fmt.Errorf("%s: %w", step, err)
		}
	}
	if err := p.finish(ctx); err != nil {
		return err
	}
	p.seen.Played = p.now()
	if err := p.sockets(ctx, 0); err != nil {
		return err
	}
	p.progress.Say(p.scenario.ID, "waiting for the last of it")
	if err := p.settle(ctx, settled); err != nil {
		return err
	}
	if err := p.fence(ctx); err != nil {
		return err
	}
	if err := p.eachCapturing(func(t *tap) error { return t.stop(ctx) }); err != nil {
		return err
	}
	return p.checkGates()
}

// fence returns when the capture holds everything that was on the wire so far.
func (p *play) fence(ctx context.Context) error {
	return p.eachCapturing(func(t *tap) error { return t.fence(ctx) })
}

// eachCapturing does something at the taps that capture, beside each other.
func (p *play) eachCapturing(do func(*tap) error) error {
	var all together
	for _, t := range p.taps {
		if t.captures() {
			all.do(func() error { return do(t) })
		}
	}
	return all.wait()
}

// setUp brings the files, starts the taps, and then beside each other the
// client and the servers, those in the order in which they depend on each other.
func (p *play) setUp(ctx context.Context) (before map[scenario.Host]map[string]int64, err error) {
	release, err := p.engine.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var first together
	for _, t := range p.taps {
		// Each leg is captured once: at the first tap that sees it.
		if without, some := p.otherTaps(t); some {
			first.do(func() error { return t.listen(ctx, slices.Index(p.taps, t), p.hosts[string(t.of)].addr, without...) })
		}
	}
	before = map[scenario.Host]map[string]int64{}
	var mu sync.Mutex
	for _, s := range p.inOrder() {
		first.do(func() error {
			h := p.hosts[s.name]
			for _, f := range s.files {
				data, err := os.ReadFile(f.from)
				if err != nil {
					return err
				}
				if _, err := h.ask(ctx, protocol.Command{Do: protocol.Write, Path: f.to, Data: data}); err != nil {
					return err
				}
			}
			counters, err := h.counters(ctx)
			mu.Lock()
			defer mu.Unlock()
			before[s.host()] = counters
			return err
		})
	}
	if err := first.wait(); err != nil {
		return nil, err
	}
	var hosts together
	hosts.do(func() error { return p.startClient(ctx) })
	hosts.do(func() error {
		for _, s := range p.inOrder() {
			if s.host() == scenario.Client {
				continue
			}
			h := p.hosts[s.name]
			if s.host() == scenario.Nginx {
				if err := p.follow(ctx, h); err != nil {
					return err
				}
			}
			if err := p.serve(ctx, h, s); err != nil {
				return err
			}
		}
		return nil
	})
	return before, hosts.wait()
}

// otherTaps returns the addresses whose legs are left to the taps before t, and
// whether any leg is left to this one.
func (p *play) otherTaps(t *tap) (without []netip.Addr, some bool) {
	left := map[string]bool{}
	for _, s := range p.inOrder() {
		left[s.name] = s.host() != t.of
	}
	for _, other := range p.taps {
		if other == t {
			break
		}
		without = append(without, p.hosts[string(other.of)].addr)
		left[string(other.of)] = false
	}
	for _, is := range left {
		some = some || is
	}
	return without, some
}

// together does things beside each other.
type together struct {
	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

func (t *together) do(f func() error) {
	t.wg.Go(func() {
		err := f()
		t.mu.Lock()
		defer t.mu.Unlock()
		t.errs = append(t.errs, err)
	})
}

func (t *together) wait() error {
	t.wg.Wait()
	return errors.Join(t.errs...)
}

// inOrder returns the hosts, each after those that it depends on.
func (p *play) inOrder() []service {
	var order []service
	placed := map[string]bool{}
	for len(order) < len(p.topology.services) {
		before := len(order)
		for _, s := range p.topology.services {
			ready := !placed[s.name] && !slices.ContainsFunc(s.after, func(dep string) bool { return !placed[dep] })
			if ready {
				placed[s.name] = true
				order = append(order, s)
			}
		}
		if len(order) == before {
			break // a cycle, which compose-go has refused
		}
	}
	return slices.DeleteFunc(order, service.tap)
}

// serve starts the server of a host and returns when it listens.
func (p *play) serve(ctx context.Context, h *host, s service) error {
	argv, err := p.program(ctx, s.host())
	if err != nil {
		return err
	}
	if server := map[scenario.Host]*script.Server{scenario.Backend: p.scenario.Server, scenario.Backend2: p.scenario.Second}[s.host()]; server != nil {
		script, err := json.Marshal(server)
		if err != nil {
			return err
		}
		argv = append(slices.Clone(argv), string(script))
	}
	server, err := h.run(ctx, "server", argv, false, func(_ protocol.Stream, line []byte) {
		var event struct{ Event, Server, Version, Method, URL, Name string } // of a back end of the lab
		if json.Unmarshal(line, &event) != nil {
			return
		}
		p.heard(func() {
			switch {
			case event.Server != "":
				p.seen.Versions[s.host()] = event.Server + " " + event.Version
			case event.Event == "request":
				p.seen.Ran = append(p.seen.Ran, event.Method+" "+event.URL)
			case event.Event == "said":
				p.said[s.host()] = append(p.said[s.host()], event.Name)
			}
		})
	})
	if err != nil {
		return err
	}
	p.servers[s.host()] = server
	within := p.engine.Timeouts.Listen
	if _, err := h.ask(ctx, protocol.Command{Do: protocol.Listening, Name: "server", Ports: s.expose, Within: int64(within)}); err != nil {
		select {
		case <-server.exited:
			said := h.ended(server).Error()
			for _, f := range s.files {
				said = strings.ReplaceAll(said, f.to, f.from) // as its user knows it
			}
			return errors.New(said + hint(said))
		default:
			return fmt.Errorf("%w%s", err, hint(err.Error()))
		}
	}
	if s.host() == scenario.Nginx {
		version, err := p.nginxVersion(ctx, h)
		p.heard(func() { p.seen.Versions[scenario.Nginx] = "nginx " + version })
		return err
	}
	return nil
}

// heard notes something that a program has told, and wakes who waits for it.
func (p *play) heard(note func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	note()
	close(p.news)
	p.news = make(chan struct{})
}

// follow reads nginx's logs as they are written.
func (p *play) follow(ctx context.Context, h *host) error {
	for _, path := range []string{errorLog, accessLog} {
		if _, err := h.ask(ctx, protocol.Command{Do: protocol.Write, Path: path}); err != nil {
			return err
		}
		err := h.follow(ctx, path, func(line []byte) {
			p.heard(func() { p.logs[path] = append(p.logs[path], string(line)) })
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sockets records what ss shows at every tap before request n, or at the end (0).
func (p *play) sockets(ctx context.Context, n int) error {
	shots, err := p.snapshots(ctx, n)
	p.seen.Sockets = append(p.seen.Sockets, shots...)
	return err
}

// snapshots returns what ss shows now.
func (p *play) snapshots(ctx context.Context, n int) ([]scenario.Snapshot, error) {
	shots := make([]scenario.Snapshot, len(p.taps))
	var taps together
	for i, t := range p.taps {
		if t.of == scenario.Backend || t.alone { // what it shows, nginx's shows too
			continue
		}
		taps.do(func() (err error) { shots[i], err = t.sockets(ctx, n); return err })
	}
	err := taps.wait()
	for i := range shots {
		shots[i].Time = p.now()
	}
	return slices.DeleteFunc(shots, func(s scenario.Snapshot) bool { return s.Host == "" }), err
}

// now is the time by the hosts' clock, which is the captures'.
func (p *play) now() time.Time {
	return time.Now().Add(p.hosts[string(scenario.Client)].clockAhead())
}

// observe brings what was seen up to date from the capture and the logs.
func (p *play) observe() error {
	p.mu.Lock()
	p.seen.ErrorLog = slices.Clone(p.logs[errorLog])
	p.seen.AccessLog = slices.Clone(p.logs[accessLog])
	p.mu.Unlock()
	var file bytes.Buffer
	if err := p.write(&file, nil); err != nil {
		return err
	}
	p.seen.Conversations = nil
	_, err := tcp.Explain(&file, tcp.Options{Keep: true}, func(c tcp.Conversation) {
		p.seen.Conversations = append(p.seen.Conversations, c)
	})
	if err != nil {
		return fmt.Errorf("explaining the capture: %w", err)
	}
	p.seen.Frames = nil
	for _, c := range p.seen.Conversations {
		p.seen.Frames = append(p.seen.Frames, c.Segments...)
	}
	slices.SortFunc(p.seen.Frames, func(a, b tcp.Frame) int { return a.Number - b.Number })
	slices.SortFunc(p.seen.Conversations, func(a, b tcp.Conversation) int { return a.Segments[0].Number - b.Segments[0].Number })
	return nil
}

// counters returns what moved on each host that no step has ended.
func (p *play) counters(ctx context.Context) (map[scenario.Host][]scenario.Counter, error) {
	all := map[scenario.Host][]scenario.Counter{}
	for name, b := range p.counted {
		h := p.hosts[string(name)]
		if h.cut.Load() {
			continue
		}
		after, err := h.counters(ctx)
		if err != nil {
			return nil, err
		}
		all[name] = moved(b, after)
	}
	return all, nil
}

// parts are the hosts that the play rests on, the taps among them, and who asks
// the kernel where it needs that.
func (p *play) parts() []*host {
	var all []*host
	for _, s := range p.topology.services {
		all = append(all, p.hosts[s.name])
	}
	if p.scenario.Kernel && p.kernel != nil {
		all = append(all, p.kernel.host)
	}
	return all
}

// playing returns a context that ends as soon as a host goes that no step has
// ended: what is waited for then may never come.
func (p *play) playing(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	for _, h := range p.parts() {
		go func() {
			select {
			case <-h.gone:
				if !h.cut.Load() {
					cancel(h.goneError())
				}
			case <-ctx.Done():
			}
		}()
	}
	return ctx, func() { cancel(nil) }
}

// lost says which part of the lab itself has gone, where one has: whatever was
// seen then, it tells nothing.
func (p *play) lost(ctx context.Context) error {
	for _, h := range p.parts() {
		select {
		case <-h.gone:
		default:
			continue
		}
		if h.cut.Load() {
			continue
		}
		if err := ping(ctx, p.engine.Timeouts, p.engine.Address); err != nil {
			return fmt.Errorf("the line to the engine is lost: %w (lab doctor says what is there)", err)
		}
		return fmt.Errorf("%w, and no step has ended it (docker events --since 10m says what has); play again", h.goneError())
	}
	for _, t := range p.taps {
		var programs []*program
		if t.captures() {
			programs = append(programs, t.tcpdump)
		}
		if g := p.gates[t.of]; g != nil {
			programs = append(programs, g.program)
		}
		for _, of := range programs {
			select {
			case <-of.exited:
				return fmt.Errorf("%w\n(no step has ended it; play again)", t.ended(of))
			default:
			}
		}
	}
	return nil
}
