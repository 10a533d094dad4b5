package bench

import (
	"context"
	"errors"
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
	for _, part := range []string{"client", "nginx", "client-tap", "nginx-tap"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			b := stand(t, e, topology, images)
			progress := &when{word: "the client rests", do: func() { kill(t, b.hosts[part]) }}
			_, err := b.Play(t.Context(), scenario.Scenario{ID: part, Play: twoRequests}, nil, settled, progress)
			require.Error(t, err)
			assert.ErrorContains(t, err, "host "+part)
			assert.False(t, errors.Is(err, ErrSetup))
			assert.Error(t, b.Reset(t.Context()), "it is not fit for another play")
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
	pool.Put(t.Context(), b)

	again, err := pool.Get(t.Context(), topology)
	require.NoError(t, err)
	require.Same(t, b, again, "a bench that is clean is used again")
	for _, tap := range again.taps {
		assert.NoError(t, tap.sh(t.Context(), `[ -z "$(ss -Htan | grep -vF 127.0.0.11)" ] && [ -z "$(nft list tables | grep rstlab)" ]`), tap.name)
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
