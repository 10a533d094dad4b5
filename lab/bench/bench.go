package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"

	"rstlab/lab/scenario"
)

// Bench is a topology that stands: its hosts run, their servers not yet.
type Bench struct {
	engine   *Engine
	topology *Topology
	images   map[string]string
	kept     bool
	network  *testcontainers.DockerNetwork
	capture  *capture

	mu     sync.Mutex
	hosts  map[string]*host
	taps   []*tap                       // in the order in which they capture
	former map[netip.Addr]scenario.Host // the address of a host that has moved
	spent  bool                         // a host of it is gone for good, or is elsewhere
}

// Stand starts the hosts and taps of a topology from images that Images
// returned, those that do not depend on each other side by side. On error
// nothing is left.
func (e *Engine) Stand(ctx context.Context, t *Topology, images map[string]string, keep bool) (*Bench, error) {
	return e.stand(ctx, t, images, keep, false)
}

// Up starts a topology to stay until `lab down`, each host running its own
// program and nginx published on 127.0.0.1.
func (e *Engine) Up(ctx context.Context, t *Topology, images map[string]string) (*Bench, error) {
	return e.stand(ctx, t, images, true, true)
}

func (e *Engine) stand(asked context.Context, t *Topology, images map[string]string, keep, own bool) (b *Bench, err error) {
	ctx, cancel := context.WithTimeoutCause(asked, e.Timeouts.Up, fmt.Errorf("it does not stand after %s", e.Timeouts.Up))
	defer cancel()
	b = &Bench{engine: e, topology: t, images: images, kept: keep, hosts: map[string]*host{},
		capture: &capture{changed: make(chan struct{})}}
	defer func() {
		if err == nil {
			return
		}
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = cmp.Or(e.silent(asked), err)
		}
		b.Remove()
		b = nil
	}()
	b.network, err = tcnetwork.New(ctx, tcnetwork.CustomizeNetworkOption(func(o *client.NetworkCreateOptions) error {
		for k, v := range e.labels(keep) {
			o.Labels[k] = v
		}
		return nil
	}))
	if err != nil && noSubnet.MatchString(err.Error()) {
		err = fmt.Errorf("%w (%w): docker network prune removes networks that nobody uses, -j plays fewer at a time", errNoSubnet, err)
	}
	if err != nil {
		return b, fmt.Errorf("making a network: %w", err)
	}

	started := map[string]chan struct{}{} // closed when the service has been started, or has failed
	for _, s := range t.services {
		started[s.name] = make(chan struct{})
	}
	var all together
	for _, s := range t.services {
		all.do(func() error {
			defer close(started[s.name])
			wait := s.after // who runs its own program looks for the others at once
			if !own {
				wait = nil
			}
			if s.tap() {
				wait = []string{s.shares}
			}
			for _, other := range wait {
				<-started[other]
			}
			h, err := b.startService(ctx, s, own)
			if err != nil {
				cancel() // the others need not go on
				return err
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.hosts[s.name] = h
			if s.tap() {
				b.taps = append(b.taps, &tap{host: h, of: scenario.Host(s.shares), capture: b.capture})
			}
			return nil
		})
	}
	err = all.wait()
	slices.SortFunc(b.taps, func(x, y *tap) int { return cmp.Or(x.rank()-y.rank(), strings.Compare(string(x.of), string(y.of))) })
	return b, err
}

// errNoSubnet says that the engine's address pools are used up.
var errNoSubnet = errors.New("the engine has no addresses left for another network")

// noSubnet matches the words of the engine, old and new, and of podman.
var noSubnet = regexp.MustCompile(`non-overlapping IPv4 address pool|predefined address pools have been fully subnetted|could not find free subnet`)

// turn waits until servers may start, and returns what ends it.
func (e *Engine) turn(ctx context.Context) (release func(), err error) {
	select {
	case e.starting <- struct{}{}:
		return func() { <-e.starting }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// rank is a tap's place among those that capture: who is killed comes last, so
// that what a host does before it dies is captured at one that survives.
func (t *tap) rank() int {
	switch t.of {
	case scenario.Client:
		return 0
	case scenario.Nginx:
		return 1
	}
	return 2
}

// Reset brings a bench back to where it was when it came to stand: nothing runs
// in it, its hosts have no sockets, no firewall rules and no capture. An error
// says that it is not clean: it must be removed.
func (b *Bench) Reset(ctx context.Context) error {
	if b.spent {
		return errors.New("a host of it is not where it was")
	}
	var hosts, taps together
	for _, h := range b.hosts {
		hosts.do(func() error { return h.reset(ctx) })
	}
	if err := hosts.wait(); err != nil {
		return err
	}
	b.capture = &capture{changed: make(chan struct{})}
	for _, t := range b.taps {
		if t.in != nil {
			t.in.Close()
		}
		t.tcpdump, t.capture = nil, b.capture
		taps.do(func() error { return t.clear(ctx) })
	}
	return taps.wait()
}

// tap returns the tap of a host.
func (b *Bench) tap(h scenario.Host) (*tap, error) {
	for _, t := range b.taps {
		if t.of == h {
			return t, nil
		}
	}
	return nil, fmt.Errorf("docker-compose.yml has no tap for %s", h)
}

func (b *Bench) startService(ctx context.Context, s service, own bool) (*host, error) {
	r := request{service: s, container: fmt.Sprintf("rstlab-%.8s-%s", b.network.Name, s.name), image: b.images[s.image], labels: b.engine.labels(b.kept), network: b.network.Name, keep: b.kept, own: own,
		publish: own && s.host() == scenario.Nginx}
	if s.tap() {
		b.mu.Lock()
		of := b.hosts[s.shares]
		b.mu.Unlock()
		if of == nil {
			return nil, fmt.Errorf("starting %s: %s did not start", s.name, s.shares)
		}
		r.network, r.shares = "", of.container.GetContainerID()
	}
	return b.engine.start(ctx, r)
}

// Remove removes the bench. It works when the context of the play has been
// cancelled.
func (b *Bench) Remove() {
	b.mu.Lock()
	defer b.mu.Unlock()
	var hosts together
	for _, h := range b.hosts {
		hosts.do(h.remove)
	}
	_ = hosts.wait() // what could not be removed is swept by the next lab
	if b.network != nil {
		ctx, cancel := context.WithTimeout(context.Background(), b.engine.Timeouts.Down)
		defer cancel()
		_, _ = b.engine.client.NetworkRemove(ctx, b.network.ID, client.NetworkRemoveOptions{})
	}
}

func (b *Bench) host(h scenario.Host) (*host, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if found := b.hosts[string(h)]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("docker-compose.yml has no service %s", h)
}

// names returns whose each address is.
func (b *Bench) names() map[netip.Addr]scenario.Host {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := maps.Clone(b.former)
	if names == nil {
		names = map[netip.Addr]scenario.Host{}
	}
	for name, h := range b.hosts {
		if h.addr.IsValid() {
			names[h.addr] = scenario.Host(name)
		}
	}
	return names
}

// program returns what a host runs: its image's CMD.
func (b *Bench) program(ctx context.Context, h scenario.Host) ([]string, error) {
	s, err := b.topology.service(h)
	if err != nil {
		return nil, err
	}
	return b.engine.known.of("program", b.images[s.image], func() ([]string, error) {
		image, err := b.engine.client.ImageInspect(ctx, b.images[s.image])
		if err != nil {
			return nil, err
		}
		if image.Config == nil || len(image.Config.Cmd) == 0 {
			return nil, fmt.Errorf("image %s names no program (CMD)", s.image)
		}
		return image.Config.Cmd, nil
	})
}

// nginxVersion returns the version that a host's nginx tells of itself.
func (b *Bench) nginxVersion(ctx context.Context, h *host) (string, error) {
	s, err := b.topology.service(scenario.Nginx)
	if err != nil {
		return "", err
	}
	version, err := b.engine.known.of("nginx -v", b.images[s.image], func() ([]string, error) {
		_, text, _, err := h.exec(ctx, "nginx", "-v") // nginx version: nginx/1.26.3
		_, text, _ = strings.Cut(strings.TrimSpace(text), "nginx/")
		return []string{text}, err
	})
	if err != nil {
		return "", err
	}
	return version[0], nil
}

// known is what was found out about images, which do not change.
type known struct {
	mu  sync.Mutex
	all map[[2]string][]string
}

func (k *known) of(what, image string, find func() ([]string, error)) ([]string, error) {
	k.mu.Lock()
	found, ok := k.all[[2]string{what, image}]
	k.mu.Unlock()
	if ok {
		return found, nil
	}
	found, err := find()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil {
		k.all = map[[2]string][]string{}
	}
	k.all[[2]string{what, image}] = found
	return found, nil
}

// cut takes a host off the network, then ends it: as a loss of power does, and
// so that no FIN of its dying processes gets out.
func (b *Bench) cut(ctx context.Context, h *host) error {
	b.spent = true
	h.cut.Store(true)
	if t, err := b.tap(scenario.Host(h.name)); err == nil {
		t.alone = true
	}
	id := h.container.GetContainerID()
	if _, err := b.engine.client.NetworkDisconnect(ctx, b.network.ID, client.NetworkDisconnectOptions{Container: id, Force: true}); err != nil {
		return fmt.Errorf("taking host %s off the network: %w", h.name, err)
	}
	_, err := b.engine.client.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"})
	return err
}

// move gives a host another address under the names that it has: it leaves the
// network and comes back. Meanwhile somebody else has its address, or else the
// engine would give it the same again.
func (b *Bench) move(ctx context.Context, h *host) error {
	b.spent = true
	s, err := b.topology.service(scenario.Host(h.name))
	if err != nil {
		return err
	}
	id, before := h.container.GetContainerID(), h.addr
	b.former = map[netip.Addr]scenario.Host{before: scenario.Host(h.name)}
	if _, err := b.engine.client.NetworkDisconnect(ctx, b.network.ID, client.NetworkDisconnectOptions{Container: id}); err != nil {
		return fmt.Errorf("taking host %s off the network: %w", h.name, err)
	}
	other, err := b.engine.start(ctx, request{service: service{name: "elsewhere"}, image: b.images[s.image], labels: b.engine.labels(b.kept), network: b.network.Name})
	if err != nil {
		return err
	}
	defer func() { _ = other.remove() }() // the network does not go before it, and says so
	if _, err := b.engine.client.NetworkConnect(ctx, b.network.ID, client.NetworkConnectOptions{Container: id,
		EndpointConfig: &network.EndpointSettings{Aliases: append([]string{h.name}, s.aliases...)}}); err != nil {
		return fmt.Errorf("bringing host %s back to the network: %w", h.name, err)
	}
	if h.addr, err = h.address(ctx, b.network.Name); err == nil && h.addr == before {
		err = fmt.Errorf("the engine gave host %s the address %s again", h.name, before)
	}
	return err
}

// loopback binds ports to ones that the engine chooses on 127.0.0.1.
func loopback(ports []int) network.PortMap {
	all := network.PortMap{}
	for _, n := range ports {
		if p, ok := network.PortFrom(uint16(n), network.TCP); ok {
			all[p] = []network.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
		}
	}
	return all
}

// Standing is a host that stands for its user to poke at.
type Standing struct {
	Name      string   // the service
	Container string   // its name on the engine
	Published []string // "127.0.0.1:port"
}

// Standing returns the hosts of the bench, in the order of their names.
func (b *Bench) Standing(ctx context.Context) ([]Standing, error) {
	var all []Standing
	for _, s := range b.topology.services {
		h := b.hosts[s.name]
		inspected, err := b.engine.client.ContainerInspect(ctx, h.container.GetContainerID(), client.ContainerInspectOptions{})
		if err != nil {
			return nil, err
		}
		standing := Standing{Name: s.name, Container: strings.TrimPrefix(inspected.Container.Name, "/")}
		for _, bindings := range inspected.Container.NetworkSettings.Ports {
			for _, binding := range bindings {
				standing.Published = append(standing.Published, netip.AddrPortFrom(binding.HostIP, port(binding.HostPort)).String())
			}
		}
		all = append(all, standing)
	}
	return all, nil
}

func port(s string) uint16 {
	n, _ := strconv.ParseUint(s, 10, 16)
	return uint16(n)
}
