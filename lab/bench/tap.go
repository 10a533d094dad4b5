package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"rstlab/lab/agent/protocol"
	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// tap is tcpdump and ss in the network namespace of a host.
type tap struct {
	*host
	of      scenario.Host
	capture *capture
	alone   bool // its host is gone
	ruled   bool // somebody may have made rules of the firewall here
	tcpdump *program
	in      *io.PipeWriter // tcpdump's output, on its way to the reader
	read    chan error     // how reading the stream ended
	nonce   string         // what its fences begin with; see fence
	dropped <-chan int     // how many frames tcpdump lost, when it has ended

	fencing sync.Mutex
	sent    int                      // fences
	fences  map[string]chan struct{} // of each: closed when it has been captured
}

// captures says whether tcpdump runs here and can still be fenced.
func (t *tap) captures() bool { return t.tcpdump != nil && !t.alone }

// table is the lab's own table of a host's firewall (nft(8)); the gate's begins
// with the same name.
const table = "rstlab"

// filter adds a rule to the firewall of the host: its chain, then the rule.
func (t *tap) filter(ctx context.Context, rule string) error {
	t.ruled = true
	return t.sh(ctx, fmt.Sprintf(`nft '
		add table inet %[1]s
		add chain inet %[1]s input { type filter hook input priority 0; }
		add chain inet %[1]s output { type filter hook output priority 0; }
		add rule inet %[1]s %[2]s'`, table, rule))
}

// sh runs a command of the lab's own in the tap.
func (t *tap) sh(ctx context.Context, command string) error {
	_, errout, code, err := t.exec(ctx, "sh", "-c", command)
	if err == nil && code != 0 {
		err = fmt.Errorf("%s: exit code %d: %s", strings.TrimSpace(command), code, strings.TrimSpace(errout))
	}
	return err
}

// clear brings the namespace of a host back to where it was: no sockets, no
// rules, nothing remembered of a peer.
func (t *tap) clear(ctx context.Context) error {
	if _, err := t.ask(ctx, protocol.Command{Do: protocol.Destroy}); err != nil {
		return err
	}
	if _, err := t.ask(ctx, protocol.Command{Do: protocol.Forget}); err != nil {
		return err
	}
	if !t.ruled {
		return nil
	}
	t.ruled = false
	return t.sh(ctx, fmt.Sprintf("nft 'add table inet %[1]s; delete table inet %[1]s; add table inet %[1]s_gate; delete table inet %[1]s_gate'", table))
}

// capture is what all taps of a bench have captured.
type capture struct {
	mu      sync.Mutex
	packets []tcp.Packet
	changed chan struct{} // closed and made anew with each packet
	last    time.Time     // when the last packet came to us
}

func (c *capture) add(p tcp.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.packets = append(c.packets, p)
	c.last = time.Now()
	close(c.changed)
	c.changed = make(chan struct{})
}

// state returns what was captured so far, when the last of it came, and a
// channel that is closed when there is more.
func (c *capture) state() ([]tcp.Packet, time.Time, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.packets[:len(c.packets):len(c.packets)], c.last, c.changed
}

// write writes what was captured as one pcapng: an interface a tap, the hosts
// named, the packets of all in the order of time, with a comment on the frames
// that have one.
func (b *Bench) write(w io.Writer, comments map[int]string) error {
	var interfaces []tcp.Interface
	for _, t := range b.taps {
		interfaces = append(interfaces, tcp.Interface{Name: string(t.of), LinkType: ethernet})
	}
	names := map[netip.Addr]string{}
	for addr, host := range b.names() {
		names[addr] = string(host)
	}
	file, err := tcp.NewWriter(w, interfaces, names)
	if err != nil {
		return err
	}
	packets, _, _ := b.capture.state()
	packets = slices.Clone(packets)
	slices.SortStableFunc(packets, func(a, b tcp.Packet) int { return a.Time.Compare(b.Time) })
	for i, p := range packets {
		p.Comment = comments[i+1]
		if err := file.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// tcpdump's ring holds so many KiB. Each frame has a slot for the largest, rounded
// up to a power of two (packet(7), TPACKET_V2): these are 256 of 64 KiB, where
// tcpdump's own 2 MiB and 256 KiB are 8, and a burst that comes while tcpdump does
// not run loses frames. Their memory is taken when it starts, which costs more than
// all that it does then.
const (
	ring    = "16384"
	largest = "65460" // as large as fits: segmentation offload leaves less (GSO_LEGACY_MAX_SIZE less MAX_TCP_HEADER, and headers)
)

// ethernet is LINKTYPE_ETHERNET: what a veth carries.
const ethernet = 1

// fencePort is the discard service (RFC 863): nobody answers a datagram to it
// on a multicast address.
const fencePort = 9

// fenceMark is what every fence begins with, of any tap.
const fenceMark = "rstlab fence "

var fenceAddr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{239, 255, 0, 9}), fencePort)

// listen starts tcpdump and returns when it captures what its host sends and
// receives: TCP, and the ICMP errors that answer it. What is flooded past it
// is not its host's; what goes to or from one of the without addresses is left
// to another tap.
func (t *tap) listen(ctx context.Context, index int, own netip.Addr, without ...netip.Addr) error {
	filter := "(tcp or icmp[icmptype] == icmp-unreach or (icmp6 and ip6[40] == 1)) and host " + own.String()
	for _, a := range without {
		filter += " and not host " + a.String()
	}
	t.nonce = fmt.Sprintf("%s%d %d", fenceMark, index, time.Now().UnixNano())
	r, in := io.Pipe()
	read, listening, dropped := make(chan error, 1), make(chan struct{}), make(chan int, 1)
	t.fences, t.in, t.read, t.dropped = map[string]chan struct{}{}, in, read, dropped
	// Read before tcpdump starts: its first bytes may come before the answer that
	// it has started.
	go func(into *capture) { read <- t.packets(r, index, into) }(t.capture)
	var once sync.Once
	var err error
	t.tcpdump, err = t.run(ctx, "tcpdump", []string{
		"tcpdump", "-i", "eth0", "-n", "-w", "-", "-U", "--immediate-mode", "-Z", "root", "-B", ring, "-s", largest,
		"--time-stamp-precision=nano", fmt.Sprintf("(%s) or (udp and dst port %d)", filter, fencePort),
	}, true, func(s protocol.Stream, data []byte) {
		switch line := string(data); {
		case s == protocol.Stdout:
			_, _ = in.Write(data)
		case strings.Contains(line, "listening on"):
			once.Do(func() { close(listening) })
		case strings.Contains(line, "dropped by kernel"): // its last words: "0 packets dropped by kernel"
			n, _ := strconv.Atoi(strings.Fields(line)[0])
			dropped <- n
		}
	})
	if err != nil {
		in.Close()
		return err
	}
	select {
	case <-listening:
		return nil
	case <-t.tcpdump.exited:
		return t.ended(t.tcpdump)
	case <-t.gone:
		return t.goneError()
	case <-ctx.Done():
		return fmt.Errorf("tap of %s: tcpdump does not listen: %w", t.of, context.Cause(ctx))
	}
}

// packets reads tcpdump's stream to its end.
func (t *tap) packets(r *io.PipeReader, index int, into *capture) error {
	defer r.Close()
	_, err := tcp.ReadPackets(r, func(p tcp.Packet) error {
		at := bytes.Index(p.Data, []byte(fenceMark))
		if at < 0 {
			p.Interface, p.Data = index, bytes.Clone(p.Data)
			into.add(p)
			return nil
		}
		t.fencing.Lock()
		defer t.fencing.Unlock()
		if reached := t.fences[string(p.Data[at:])]; reached != nil { // not another tap's
			close(reached)
			delete(t.fences, string(p.Data[at:]))
		}
		return nil
	})
	return err
}

// fence returns when the capture holds everything that the host's kernel has
// sent and received so far: a datagram sent through the same interface has
// come out of tcpdump behind it.
func (t *tap) fence(ctx context.Context) error {
	reached := make(chan struct{})
	t.fencing.Lock()
	t.sent++
	mark := fmt.Sprintf("%s %d", t.nonce, t.sent)
	t.fences[mark] = reached
	t.fencing.Unlock()
	if _, err := t.ask(ctx, protocol.Command{Do: protocol.Datagram, Path: fenceAddr.String(), Data: []byte(mark)}); err != nil {
		return fmt.Errorf("tap of %s: %w", t.of, err)
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeouts.Agent)
	defer cancel()
	select {
	case <-reached:
		return nil
	case err := <-t.read:
		return fmt.Errorf("tap of %s: the capture broke off: %w", t.of, err)
	case <-t.tcpdump.exited:
		return t.ended(t.tcpdump)
	case <-t.gone:
		return t.goneError()
	case <-ctx.Done():
		return fmt.Errorf("tap of %s: what was sent last did not come out of tcpdump: %w", t.of, ctx.Err())
	}
}

// stop ends tcpdump. The capture holds what came before; if tcpdump was too slow
// for some of it, nothing can be said of the play.
func (t *tap) stop(ctx context.Context) error {
	if _, err := t.ask(ctx, protocol.Command{Do: protocol.Signal, Name: t.tcpdump.name, Signal: int(unix.SIGTERM)}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeouts.Agent)
	defer cancel()
	select {
	case n := <-t.dropped:
		t.in.Close()
		if n > 0 {
			return fmt.Errorf("tap of %s: tcpdump lost %d frames", t.of, n)
		}
		t.tcpdump = nil
		return nil
	case <-t.gone:
		return t.goneError()
	case <-ctx.Done():
		return fmt.Errorf("tap of %s: tcpdump does not end: %w", t.of, ctx.Err())
	}
}

// sockets returns what ss shows in the host's namespace, but for listeners.
func (t *tap) sockets(ctx context.Context, before int) (scenario.Snapshot, error) {
	out, errout, code, err := t.exec(ctx, "ss", "-Htan")
	if err == nil && code != 0 {
		err = fmt.Errorf("ss: exit code %d: %s", code, errout)
	}
	if err != nil {
		return scenario.Snapshot{}, err
	}
	sockets, err := tcp.ReadSockets(strings.NewReader(out))
	return scenario.Snapshot{Before: before, Host: t.of, Text: out, Sockets: sockets}, err
}
