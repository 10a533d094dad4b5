package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/scenario"
)

// when is a progress that does something once, when a word of it comes.
type when struct {
	word string
	once sync.Once
	do   func()
}

func (w *when) Say(_, doing string) {
	if w.do != nil && strings.Contains(doing, w.word) {
		w.once.Do(w.do)
	}
}

func (*when) Done(string, string) {}

// real returns an engine, the plain topology and its images.
func real(t *testing.T) (*Engine, *Topology, map[string]string) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: it plays on real containers")
	}
	e, err := Ensure(t.Context(), Options{Timeouts: DefaultTimeouts(4)}, &when{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	topology, err := LoadTopology(t.Context(), root, Axes{NginxConf: filepath.Join(root, "nginx", "baseline.conf")})
	require.NoError(t, err)
	images, err := e.Images(t.Context(), root, ImagesOf(topology), &when{})
	require.NoError(t, err)
	return e, topology, images
}

func stand(t *testing.T, e *Engine, topology *Topology, images map[string]string) *Bench {
	t.Helper()
	b, err := e.Stand(t.Context(), topology, images, false)
	require.NoError(t, err)
	t.Cleanup(b.Remove)
	return b
}

func kill(t *testing.T, h *host) {
	t.Helper()
	_, err := h.client.ContainerKill(context.WithoutCancel(t.Context()), h.container.GetContainerID(), client.ContainerKillOptions{Signal: "KILL"})
	require.NoError(t, err)
	<-h.gone
}

var twoRequests = []scenario.Step{scenario.Get("/test"), scenario.Idle(time.Second), scenario.Get("/test")}

func settled(scenario.Observation) bool { return true }

// TestPartDies: whatever part of a bench is killed in the middle of a play, the
// play ends with an error that names it, and that is no set-up's.
func TestPartDies(t *testing.T) {
	e, topology, images := real(t)
	for _, service := range topology.services {
		part := service.name
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			b := stand(t, e, topology, images)
			progress := &when{word: "the client rests", do: func() { kill(t, b.hosts[part]) }}
			_, err := b.Play(t.Context(), scenario.Scenario{ID: part, Play: twoRequests}, nil, settled, progress)
			require.Error(t, err)
			assert.ErrorContains(t, err, "host "+part+" is gone, and no step has ended it (docker events --since 10m says what has); play again")
			assert.NotErrorIs(t, err, ErrSetup)
			assert.Error(t, b.Reset(t.Context()), "it is not fit for another play")
		})
	}
}

// TestPartDiesEarly: a part that is killed while the servers start is the
// set-up's, and named too.
func TestPartDiesEarly(t *testing.T) {
	e, topology, images := real(t)
	for _, part := range []string{"backend", "client-tap"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			b := stand(t, e, topology, images)
			progress := &when{word: "starting its servers", do: func() { kill(t, b.hosts[part]) }}
			_, err := b.Play(t.Context(), scenario.Scenario{ID: part, Play: twoRequests}, nil, settled, progress)
			assert.ErrorIs(t, err, ErrSetup)
			assert.ErrorContains(t, err, "host "+part+" is gone, and no step has ended it")
		})
	}
}

// TestNotListening: a server that runs and does not listen is the set-up's, and
// the reason says where it listens in place of that.
func TestNotListening(t *testing.T) {
	e, _, images := real(t)
	conf := filepath.Join(t.TempDir(), "my.conf")
	require.NoError(t, os.WriteFile(conf, []byte("events {}\nhttp { server { listen 8081; } }\n"), 0o600))
	topology, err := LoadTopology(t.Context(), filepath.Join("..", ".."), Axes{NginxConf: conf})
	require.NoError(t, err)
	b := stand(t, e, topology, images)
	e.Timeouts.Listen = time.Second
	_, err = b.Play(t.Context(), scenario.Scenario{ID: "elsewhere", Play: twoRequests}, nil, settled, &when{})
	assert.ErrorIs(t, err, ErrSetup)
	assert.ErrorContains(t, err, "host nginx: listening server: server does not listen on port 80; the ports that are listened on here: [8081 ")
	assert.ErrorContains(t, err, "the client asks for http://test.foo.com/test")
}

// TestProgramDies: so it is with the programs of a tap. A gate that has died lets
// everything through, and what comes of that is no verdict.
func TestProgramDies(t *testing.T) {
	e, topology, images := real(t)
	for _, name := range []string{"tcpdump", "gate"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := stand(t, e, topology, images)
			tap := b.hosts["client-tap"]
			progress := &when{word: "the client rests", do: func() { assert.NoError(t, tap.kill(t.Context(), tap.running[name])) }}
			play := append([]scenario.Step{scenario.Gate(scenario.Client, scenario.FINFirst)}, twoRequests...)
			_, err := b.Play(t.Context(), scenario.Scenario{ID: name, Play: play}, nil, settled, progress)
			assert.ErrorContains(t, err, "host client-tap: "+name+" has ended: signal 9")
			assert.ErrorContains(t, err, "no step has ended it; play again")
			assert.NotErrorIs(t, err, ErrSetup)
		})
	}
}

// TestKernelLost: a play that needs the kernel's word is none where that is lost,
// and neither is one that begins after it.
func TestKernelLost(t *testing.T) {
	e, topology, images := real(t)
	k, err := e.TraceKernel(t.Context(), images[TapImage])
	if err != nil || !k.every {
		t.Skip("this kernel cannot be asked: ", err)
	}
	t.Cleanup(k.Close)
	for i, progress := range []*when{{word: "the client rests", do: func() { kill(t, k.host) }}, {}} {
		_, err = stand(t, e, topology, images).Play(t.Context(), scenario.Scenario{ID: "asks", Kernel: true, Play: twoRequests}, k, settled, progress)
		assert.ErrorContains(t, err, "host kernel is gone, and no step has ended it")
		assert.NotErrorIs(t, err, ErrUnsupported)
		assert.Equal(t, i == 1, errors.Is(err, ErrSetup))
	}
}

// TestGateOrder: a gate whose own log does not show the order that it was to
// force tells so, whatever the client saw.
func TestGateOrder(t *testing.T) {
	e, topology, images := real(t)
	gate := scenario.Gate(scenario.Client, scenario.FINFirst)
	for name, c := range map[string]struct {
		play []scenario.Step
		says string
	}{
		"nothing crosses": {[]scenario.Step{gate, scenario.Get("/test")},
			"the gate on client has forced nothing"},
		"no RST comes": {[]scenario.Step{scenario.Get("/test"), scenario.Filter(scenario.Nginx, "output tcp flags & rst == rst drop"), gate,
			scenario.Begin(scenario.Get("/test")), scenario.Held(scenario.Client), scenario.Reload(scenario.Nginx)},
			"want [fin-held request-left fin-released rst] in this order, it saw [request-held fin-held request-left]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := stand(t, e, topology, images)
			_, err := b.Play(t.Context(), scenario.Scenario{ID: "order", Options: scenario.Options{Timeout: time.Second}, Play: c.play}, nil, settled, &when{})
			assert.ErrorContains(t, err, c.says)
			assert.NotErrorIs(t, err, ErrSetup)
			assert.NotErrorIs(t, err, ErrUnsupported)
		})
	}
}

// TestReset: after a play and a reset nothing of it is left, and the next play
// on the same bench sees only what is its own.
func TestReset(t *testing.T) {
	e, topology, images := real(t)
	pool := e.NewPool(images, false, 1)
	t.Cleanup(pool.Close)
	b, err := pool.Get(t.Context(), topology)
	require.NoError(t, err)
	dirty := append(twoRequests, scenario.Filter(scenario.Backend, "input tcp dport 9 drop"), scenario.Pause(scenario.Backend))
	first, err := b.Play(t.Context(), scenario.Scenario{ID: "first", Play: dirty}, nil, settled, &when{})
	require.NoError(t, err)
	require.Len(t, first.AccessLog, 2)
	var known string
	for _, tap := range b.taps {
		out, _, _, err := tap.exec(t.Context(), "sh", "-c", "ip neigh; ip tcp_metrics")
		require.NoError(t, err)
		known += out
	}
	require.Contains(t, known, "lladdr", "there is something to forget")
	pool.Put(t.Context(), b)

	again, err := pool.Get(t.Context(), topology)
	require.NoError(t, err)
	require.Same(t, b, again, "a bench that is clean is used again")
	for _, tap := range again.taps {
		assert.NoError(t, tap.sh(t.Context(), `[ -z "$(ss -Htan | grep -vF 127.0.0.11)" ] && [ -z "$(nft list tables | grep rstlab)" ] && [ -z "$(ip neigh; ip tcp_metrics)" ]`), tap.name)
		out, _, _, err := tap.exec(t.Context(), "sh", "-c", "ls /proc | grep -c '^[0-9]'")
		require.NoError(t, err)
		assert.Equal(t, "4", strings.TrimSpace(out), "the agent, sh, ls and grep run in %s", tap.name)
	}
	second, err := again.Play(t.Context(), scenario.Scenario{ID: "second", Play: []scenario.Step{scenario.Get("/test")}}, nil, settled, &when{})
	require.NoError(t, err)
	assert.Len(t, second.AccessLog, 1)
	assert.Len(t, second.Outcomes, 1)
	assert.Len(t, second.Conversations, 2)
	for _, c := range second.Conversations {
		assert.True(t, c.Segments[0].Time.After(first.Steps[len(first.Steps)-1].Time))
	}

	kill(t, again.hosts["backend-tap"])
	pool.Put(t.Context(), again)
	fresh, err := pool.Get(t.Context(), topology)
	require.NoError(t, err)
	defer pool.Put(t.Context(), fresh)
	assert.NotSame(t, again, fresh, "one that cannot be shown clean is thrown away")
}
