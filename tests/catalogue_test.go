// Package tests holds what crosses packages: the catalogue on real hosts, the
// command as its user types it, the structure of the code.
package tests

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/bench"
	"rstlab/lab/catalogue"
	"rstlab/lab/matrix"
	"rstlab/lab/report"
	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
	"rstlab/lab/verdict"
)

// needsDocker leaves a test out under -short, and says so.
func needsDocker(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: it plays on real containers")
	}
}

// loud is the progress of a test run: a line for what ends.
type loud struct{ t *testing.T }

func (l loud) Say(string, string) {}
func (l loud) Done(topic, how string) {
	if how != "" {
		l.t.Logf("%s: %s", topic, how)
	}
}

// TestCatalogue plays every scenario, and every scenario with its control, all
// side by side as `lab run` does. A scenario must come out as declared; with
// its control applied it must not, or its expectations could not tell.
func TestCatalogue(t *testing.T) {
	needsDocker(t)
	ctx, cancel := context.WithCancel(t.Context())
	if deadline, ok := t.Deadline(); ok {
		ctx, cancel = context.WithDeadline(t.Context(), deadline.Add(-30e9)) // time to clean up
	}
	t.Cleanup(cancel)
	e := engine(t)

	scenarios := catalogue.All()
	for _, s := range catalogue.All() {
		scenarios = append(scenarios, s.Control.Apply(s))
	}
	out := filepath.Join("..", "out", "test")
	results := playAll(t, ctx, e, out, "", scenarios)
	var newer []scenario.Scenario // what the default nginx lacks, a newer one must have
	for _, s := range scenarios {
		if r, played := results[s.ID]; played && r.Outcome == verdict.Unsupported {
			newer = append(newer, s)
		}
	}
	if newer != nil {
		for id, r := range playAll(t, ctx, e, filepath.Join("..", "out", "test-newest"), slices.Max(bench.NginxVersions()), newer) {
			results[id] = r
		}
	}

	for _, s := range catalogue.All() {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			r, played := results[s.ID]
			require.True(t, played)
			assert.Equal(t, verdict.Pass, r.Outcome, "%s", told(s, r))
		})
		t.Run(s.ID+" with its control: "+s.Control.What, func(t *testing.T) {
			t.Parallel()
			s := s.Control.Apply(s)
			r, played := results[s.ID]
			require.True(t, played)
			assert.Equal(t, verdict.Fail, r.Outcome, "the control must make the scenario fail\n%s", told(s, r))
			assert.NotEmpty(t, r.Differences)
		})
	}
	t.Run("the kernel's reasons", func(t *testing.T) {
		t.Parallel()
		asked := 0
		for _, s := range scenarios {
			if slices.ContainsFunc(s.Play, func(step scenario.Step) bool {
				return step.Do == scenario.DoFilter && strings.Contains(step.Rule, "reset") && !s.Kernel
			}) {
				continue // a firewall's RST is none of the kernel's stack, and the wire alone cannot tell
			}
			asked += kernelAgrees(t, results[s.ID])
		}
		t.Logf("%d RSTs whose reason the kernel told", asked)
	})
	t.Run("as it comes from the field", func(t *testing.T) {
		t.Parallel()
		var captures []string
		for _, r := range results {
			if path := r.Files["capture.pcapng"]; path != "" {
				captures = append(captures, path)
			}
		}
		require.GreaterOrEqual(t, len(captures), len(scenarios)/2)
		staysOrWeakens(t, captures, 10)
	})
	t.Run("results.json", func(t *testing.T) {
		t.Parallel()
		// Reading what the run wrote also keeps go test from calling the next run cached.
		data, err := os.ReadFile(filepath.Join(out, "results.json"))
		require.NoError(t, err)
		var file struct{ Results []map[string]any }
		require.NoError(t, json.Unmarshal(data, &file))
		require.GreaterOrEqual(t, len(file.Results), len(scenarios))
		for _, r := range file.Results {
			for _, field := range []string{"scenario", "client", "nginx", "outcome", "replies", "resets", "conversations", "files"} {
				assert.Contains(t, r, field)
			}
			for _, path := range r["files"].(map[string]any) {
				assert.FileExists(t, path.(string))
			}
		}
	})
}

// playAll plays scenarios side by side and returns the result of each: of
// several plays the first that did not pass, or the last.
func playAll(t *testing.T, ctx context.Context, e *bench.Engine, out, nginx string, scenarios []scenario.Scenario) map[string]verdict.Result {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	o := matrix.Options{Root: root, Out: out, Trace: true}
	if nginx != "" {
		o.NginxVersions = []string{nginx}
	}
	results := map[string]verdict.Result{}
	require.NoError(t, matrix.Run(ctx, e, scenarios, o, loud{t}, func(r verdict.Result) {
		if before, ok := results[r.Scenario]; !ok || before.Outcome == verdict.Pass {
			results[r.Scenario] = r
		}
	}))
	return results
}

// kernelAgrees holds each RST of a result against what the kernel said of it,
// both ways, and returns how many there were. Which of the kernel's reasons
// goes with which cause is lab/tcp's to know: where one does not, the
// conversation holds a contradiction, and where none was told for a RST, it
// rests on the wire alone.
func kernelAgrees(t *testing.T, r verdict.Result) int {
	t.Helper()
	if r.Kernel == nil {
		return 0 // this engine's kernel could not be asked
	}
	resets, late := 0, 0
	for _, c := range r.Conversations {
		if c.Cause == tcp.CauseAcceptOverflow || c.Reuse > 60 { // tcp_fin_timeout: the connection is forgotten
			continue // its RST is a listener's: the kernel's event carries no address
		}
		again := false
		for _, reset := range c.Resets {
			switch {
			case reset.Kind == tcp.Forged: // no kernel's
			case reset.From == tcp.Server && (c.LateReset || again && reset.Kind != tcp.Abort):
				late++ // perhaps a listener's, which answers and does nothing by itself
			default:
				resets++
			}
			again = again || reset.From == tcp.Server
		}
		assert.Empty(t, c.Contradiction, r.Scenario)
		if c.Ending() != nil && c.Cause != tcp.CauseUnexplained {
			assert.Equal(t, tcp.Kernel, c.Basis, "%s: %s", r.Scenario, c.Text)
		}
	}
	told := len(r.Kernel)
	assert.True(t, resets <= told && told <= resets+late, "%s: %d and perhaps %d RSTs of a kernel's were captured; the kernel told of %v", r.Scenario, resets, late, r.Kernel)
	return told
}

// TestConfigs has nginx read every config of nginx/ (nginx -t), used or not.
func TestConfigs(t *testing.T) {
	e := engine(t)
	root, topology, images := plain(t, e)
	var paths []string
	for _, name := range matrix.Variants(root) {
		path, err := matrix.ConfigPath(root, name)
		require.NoError(t, err)
		paths = append(paths, path)
	}
	require.NotEmpty(t, paths)
	topologies := []*bench.Topology{topology}
	overlays, err := filepath.Glob(filepath.Join(root, "compose", "*.yml"))
	require.NoError(t, err)
	for _, overlay := range overlays { // their hosts have names that a config may use
		name := strings.TrimSuffix(filepath.Base(overlay), ".yml")
		with, err := bench.LoadTopology(t.Context(), root, bench.Axes{Overlay: name})
		require.NoError(t, err)
		topologies = append(topologies, with)
	}
	refused, err := e.CheckConfigs(t.Context(), images, paths, topologies...)
	require.NoError(t, err)
	if len(refused) > 0 { // what this nginx lacks a newer one has
		newest, err := bench.LoadTopology(t.Context(), root, bench.Axes{NginxVersion: slices.Max(bench.NginxVersions())})
		require.NoError(t, err)
		newer, err := e.Images(t.Context(), root, bench.ImagesOf(newest), loud{t})
		require.NoError(t, err)
		for _, why := range refused {
			assert.ErrorIs(t, why, bench.ErrLacks)
		}
		refused, err := e.CheckConfigs(t.Context(), newer, slices.Collect(maps.Keys(refused)), append([]*bench.Topology{newest}, topologies...)...)
		require.NoError(t, err)
		assert.Empty(t, refused)
	}

	broken := filepath.Join(t.TempDir(), "broken.conf")
	require.NoError(t, os.WriteFile(broken, []byte("events {}\nhttp { sevrer {} }\n"), 0o600))
	refused, err = e.CheckConfigs(t.Context(), images, append(paths, broken), topologies...)
	require.NoError(t, err)
	require.ErrorIs(t, refused[broken], bench.ErrLacks)
	assert.Contains(t, refused[broken].Error(), `unknown directive "sevrer" in `+broken+":2")
}

// told is the story of a result, for whoever reads a failure.
func told(s scenario.Scenario, r verdict.Result) string {
	var b strings.Builder
	if err := (report.Story{Scenario: s, Result: r, Rerun: "lab run " + s.ID, Source: "lab/catalogue/" + s.ID + ".go"}).Tell(report.Paper{Writer: &b, Width: 100}); err != nil {
		return err.Error()
	}
	return b.String()
}
