package bench

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"rstlab/lab/agent/protocol"
	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
)

// Kernel asks the engine's kernel why it sends each RST: the tracepoint
// tcp:tcp_send_reset (include/trace/events/tcp.h), read through a tracefs that
// a volume brings, with no capability and nothing mounted on the host. The nil
// Kernel knows nothing.
type Kernel struct {
	engine *Engine
	host   *host
	volume string
	dir    string   // of an own instance: other users of the tracer are not disturbed
	every  bool     // it tells of every RST (Linux 6.10)
	stats  []string // files that count what a CPU's buffer has lost

	mu     sync.Mutex
	resets []told
	fences map[string]chan struct{}
	fence  int
}

// told is a reset and when we were told of it. Its own time is of another clock.
type told struct {
	scenario.KernelReset
	at time.Time
}

// TraceKernel starts to listen. An error says why this engine's kernel cannot
// be asked; every scenario can be judged without it.
func (e *Engine) TraceKernel(ctx context.Context, tapImage string) (k *Kernel, err error) {
	k = &Kernel{engine: e, fences: map[string]chan struct{}{}}
	defer func() {
		if err != nil {
			k.Close()
			k = nil
		}
	}()
	created, err := e.client.VolumeCreate(ctx, client.VolumeCreateOptions{
		Driver: "local", Labels: e.labels(false),
		DriverOpts: map[string]string{"type": "tracefs", "device": "nodev"},
	})
	if err != nil {
		return k, fmt.Errorf("making a tracefs volume: %w", err)
	}
	k.volume = created.Volume.Name
	k.host, err = e.start(ctx, request{
		service: service{name: "kernel", capDrop: []string{"ALL"}}, image: tapImage, labels: e.labels(false),
		mounts: []mount.Mount{{Type: mount.TypeVolume, Source: k.volume, Target: "/tracing"}},
	})
	if err != nil {
		return k, err
	}
	if err := k.clean(ctx); err != nil {
		return k, err
	}
	k.dir = "/tracing/instances/" + k.name()
	// The instance is gone when the script ends, however that comes about but by
	// SIGKILL; clean removes what is left then.
	listening := make(chan struct{})
	trace, err := k.host.run(ctx, "trace", []string{"sh", "-c", `
		mkdir "$0" && cd "$0" || exit
		trap 'echo 0 > events/tcp/tcp_send_reset/enable; cd /; kill $!; wait; rmdir "$0"' EXIT
		trap exit TERM
		cat trace_pipe & 
		echo 1 > events/tcp/tcp_send_reset/enable || exit
		echo listening
		wait $!`, k.dir}, false, func(s protocol.Stream, data []byte) {
		if s == protocol.Stdout && string(data) == "listening" {
			close(listening)
		}
		k.line(s, data)
	})
	if err != nil {
		return k, err
	}
	_, _, code, err := k.host.exec(ctx, "grep", "-q", "reason", "/tracing/events/tcp/tcp_send_reset/format")
	if err != nil {
		return k, err
	}
	k.every = code == 0
	select {
	case <-listening:
	case <-trace.exited:
		return k, k.host.ended(trace)
	case <-k.host.gone:
		return k, k.host.goneError()
	case <-ctx.Done():
		return k, context.Cause(ctx)
	}
	cpus, err := k.list(ctx, k.dir+"/per_cpu")
	if err != nil {
		return k, err
	}
	for _, cpu := range cpus {
		k.stats = append(k.stats, k.dir+"/per_cpu/"+cpu+"/stats")
	}
	return k, k.await(ctx, e.Timeouts.Agent)
}

// name names the instance after its owner, so that the next lab can tell
// whether it still lives.
func (k *Kernel) name() string {
	return "rstlab@" + strings.ReplaceAll(k.engine.me.String(), " ", "@")
}

// list gives the names in a folder of tracefs.
func (k *Kernel) list(ctx context.Context, folder string) ([]string, error) {
	out, errout, code, err := k.host.exec(ctx, "ls", folder)
	if err == nil && code != 0 {
		err = fmt.Errorf("reading tracefs: %s", lastLine(errout))
	}
	return strings.Fields(out), err
}

// clean removes the instances of labs that have died.
func (k *Kernel) clean(ctx context.Context) error {
	names, err := k.list(ctx, "/tracing/instances")
	for _, name := range names {
		if rest, ok := strings.CutPrefix(name, "rstlab@"); ok {
			// A host's name may not hold "@", and machine-id@name has one.
			f := strings.Split(rest, "@")
			if len(f) != 6 {
				continue
			}
			o, ok := parseOwner(strings.Join(append([]string{f[0] + "@" + f[1]}, f[2:]...), " "))
			if ok && o.dead(k.engine.me, startTime) {
				_, _, _, _ = k.host.exec(ctx, "rmdir", "/tracing/instances/"+name)
			}
		}
	}
	return err
}

func (k *Kernel) line(s protocol.Stream, data []byte) {
	if s != protocol.Stdout {
		return
	}
	line := string(data)
	k.mu.Lock()
	defer k.mu.Unlock()
	resets, _ := tcp.ReadKernel(strings.NewReader(line)) // from memory
	for _, r := range resets {
		k.resets = append(k.resets, told{scenario.KernelReset{KernelReset: r, Line: strings.TrimSpace(line)}, time.Now()})
	}
	if _, mark, ok := strings.Cut(line, fenceWord); ok {
		if reached := k.fences[strings.TrimSpace(mark)]; reached != nil {
			close(reached)
			delete(k.fences, strings.TrimSpace(mark))
		}
	}
}

// fenceWord begins the marks that await writes.
const fenceWord = "rstlab-fence-"

// await returns when every event so far has been read: a mark written into the
// trace has come out behind them.
func (k *Kernel) await(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	reached := make(chan struct{})
	k.mu.Lock()
	k.fence++
	mark := fmt.Sprint(k.fence)
	k.fences[mark] = reached
	k.mu.Unlock()
	if _, err := k.host.ask(ctx, protocol.Command{Do: protocol.Write, Path: k.dir + "/trace_marker", Data: []byte(fenceWord + mark)}); err != nil {
		return err
	}
	select {
	case <-reached:
		return nil
	case <-k.host.gone:
		return k.host.goneError()
	case <-ctx.Done():
		return fmt.Errorf("reading the trace: %w", ctx.Err())
	}
}

// settle returns when everything that the kernel has done so far is told.
func (k *Kernel) settle(ctx context.Context) {
	if k != nil {
		_ = k.await(ctx, k.engine.Timeouts.Agent) // between finds out when it cannot be asked
	}
}

// whole says whether every RST that the kernel has sent so far was told: since
// Linux 6.10, whose event says the reason, it is told of those without a socket
// too; and no event was lost for want of room.
func (k *Kernel) whole(ctx context.Context) bool {
	if k == nil || !k.every {
		return false
	}
	out, _, code, err := k.host.exec(ctx, append([]string{"grep", "-hE", "^(commit )?overrun|^dropped"}, k.stats...)...)
	if err != nil || code != 0 {
		return false
	}
	for line := range strings.Lines(out) { // "overrun: 0"
		if !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			return false
		}
	}
	return true
}

// between returns the resets that were sent between hosts of a bench since it
// began. Benches that stand at the same time share no address.
func (k *Kernel) between(ctx context.Context, names map[netip.Addr]scenario.Host, began time.Time) []scenario.KernelReset {
	if k == nil || k.await(ctx, k.engine.Timeouts.Agent) != nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	all := []scenario.KernelReset{}
	for _, r := range k.resets {
		if names[r.From.Addr()] != "" && names[r.To.Addr()] != "" && !r.at.Before(began) {
			all = append(all, r.KernelReset)
		}
	}
	return all
}

// Close stops listening and leaves nothing behind.
func (k *Kernel) Close() {
	if k == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), k.engine.Timeouts.Down)
	defer cancel()
	if k.host != nil {
		k.host.mu.Lock()
		trace := k.host.running["trace"]
		k.host.mu.Unlock()
		if trace != nil {
			_, _ = k.host.ask(ctx, protocol.Command{Do: protocol.Signal, Name: "trace", Signal: 15})
			select {
			case <-trace.exited:
			case <-k.host.gone:
			case <-time.After(time.Second):
			}
		}
		_ = k.host.remove()
	}
	if k.volume != "" {
		_, _ = k.engine.client.VolumeRemove(ctx, k.volume, client.VolumeRemoveOptions{Force: true})
	}
}
