package tests

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/bench"
	"rstlab/lab/matrix"
	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

func engine(t *testing.T) *bench.Engine {
	t.Helper()
	needsDocker(t)
	timeouts := bench.DefaultTimeouts(4)
	timeouts.Settle = bench.DefaultTimeouts(1).Settle // a control waits it out
	e, err := bench.Ensure(t.Context(), bench.Options{Timeouts: timeouts}, loud{t})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// TestInterrupted ends a run in its middle: by Ctrl-C, after which nothing is
// left; and by SIGKILL, after which the hosts end by themselves and the next
// lab sweeps the rest.
func TestInterrupted(t *testing.T) {
	e := engine(t)
	for name, signal := range map[string]syscall.Signal{"Ctrl-C": syscall.SIGINT, "kill -9": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("lab", "run", "stale-idle", "--timeout", "4", "-o", filepath.Join(t.TempDir(), "out"))
			cmd.Dir = ".."
			stderr, err := cmd.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			pid := cmd.Process.Pid
			lines := bufio.NewScanner(stderr)
			for lines.Scan() && !strings.Contains(lines.Text(), "the client rests") {
			}
			stands, err := e.LeftBy(t.Context(), pid)
			require.NoError(t, err)
			require.Equal(t, 1, stands.Networks, "it was interrupted in its middle")
			require.NoError(t, cmd.Process.Signal(signal))
			rest, _ := io.ReadAll(stderr)
			err = cmd.Wait()

			if signal == syscall.SIGINT {
				var exit *exec.ExitError
				require.ErrorAs(t, err, &exit)
				assert.Equal(t, 130, exit.ExitCode())
				assert.Contains(t, string(rest), "interrupted")
			} else {
				require.Eventually(t, func() bool {
					left, err := e.LeftBy(t.Context(), pid)
					return err == nil && left.Containers == 0
				}, 30*time.Second, 50*time.Millisecond, "the hosts outlive their conductor")
				_, err := e.Sweep(t.Context())
				require.NoError(t, err)
			}
			left, err := e.LeftBy(t.Context(), pid)
			require.NoError(t, err)
			assert.Zero(t, left)
		})
	}
}

// plain returns the checkout, the topology as docker-compose.yml has it by
// itself, and its images, built.
func plain(t *testing.T, e *bench.Engine) (root string, topology *bench.Topology, images map[string]string) {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	topology, err = bench.LoadTopology(t.Context(), root, bench.Axes{})
	require.NoError(t, err)
	images, err = e.Images(t.Context(), root, bench.ImagesOf(topology), loud{t})
	require.NoError(t, err)
	return root, topology, images
}

// play plays one scenario of this test's own.
func play(t *testing.T, e *bench.Engine, s scenario.Scenario) verdict.Result {
	t.Helper()
	return playInto(t, e, t.TempDir(), s)
}

// playInto plays one, and keeps its evidence in a folder.
func playInto(t *testing.T, e *bench.Engine, out string, s scenario.Scenario) verdict.Result {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	var result verdict.Result
	err = matrix.Run(t.Context(), e, []scenario.Scenario{s}, matrix.Options{Root: root, Out: out}, loud{t},
		func(r verdict.Result) { result = r })
	if result.Outcome == verdict.Pass {
		require.NoError(t, err)
	}
	return result
}

// TestLabErrors: what goes wrong in the lab itself is told as such, never as a
// verdict, and leaves nothing behind.
func TestLabErrors(t *testing.T) {
	e := engine(t)
	for name, c := range map[string]struct {
		scenario scenario.Scenario
		outcome  verdict.Outcome
		reason   string
	}{
		"a step that fails": {
			scenario.Scenario{ID: "killed-twice", Play: []scenario.Step{scenario.Kill(scenario.Backend), scenario.Kill(scenario.Backend)}},
			verdict.LabError, `no process "server" runs here`},
		"a host that dies under the lab": {
			scenario.Scenario{ID: "client-dies", Play: []scenario.Step{scenario.KillHost(scenario.Client), scenario.Get("/test")}},
			verdict.LabError, "host client"},
		"a client without the option": {
			scenario.Scenario{ID: "go-retry", Options: scenario.Options{Retry: scenario.Off}, Play: []scenario.Step{scenario.Get("/test")}},
			verdict.Unsupported, "unsupported by client go"},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, e, c.scenario)
			assert.Equal(t, c.outcome, r.Outcome)
			assert.Contains(t, r.Reason, c.reason)
		})
	}
	left, err := e.LeftBy(t.Context(), os.Getpid())
	require.NoError(t, err)
	assert.Zero(t, left)
}

// TestUp: a topology left standing is published on 127.0.0.1 alone and stays
// when dead labs are swept.
func TestUp(t *testing.T) {
	e := engine(t)
	_, topology, images := plain(t, e)
	b, err := e.Up(t.Context(), topology, images)
	require.NoError(t, err)
	t.Cleanup(b.Remove)
	_, err = e.Sweep(t.Context())
	require.NoError(t, err)
	hosts, err := b.Standing(t.Context())
	require.NoError(t, err)
	var published []string
	for _, h := range hosts {
		published = append(published, h.Published...)
	}
	require.Len(t, published, 1)
	require.True(t, strings.HasPrefix(published[0], "127.0.0.1:"), published[0])
	if address, err := url.Parse(e.Address); err != nil || address.Scheme != "unix" {
		t.Skip("the engine is on another machine: its 127.0.0.1 is not ours")
	}
	require.Eventually(t, func() bool { return status(t.Context(), published[0]) == http.StatusOK }, 30*time.Second, 20*time.Millisecond)
}

func status(ctx context.Context, address string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/test", nil)
	if err != nil {
		return 0
	}
	req.Host = "test.foo.com"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
