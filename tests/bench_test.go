package tests

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rstlab/lab/bench"
	"rstlab/lab/catalogue"
	"rstlab/lab/matrix"
	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

// sample is how many scenarios are played one after the other; the rest is
// extrapolated from them.
const sample = 10

// BenchmarkCatalogue plays the whole catalogue, as lab run does, and beside it a
// sample one after the other, each with a compose up and down of its own. It
// reports the ratio of the whole to its longest scenario, and how many times
// longer the sequence would take: the rests and timers that each scenario
// declares, and for all else the mean of the sample.
func BenchmarkCatalogue(b *testing.B) {
	e, err := bench.Ensure(b.Context(), bench.Options{Timeouts: bench.DefaultTimeouts(4)}, nothing{})
	require.NoError(b, err)
	defer e.Close()
	root, err := filepath.Abs("..")
	require.NoError(b, err)
	all := catalogue.All()
	o := matrix.Options{Root: root, Out: b.TempDir(), Trace: true}
	play := func(scenarios ...scenario.Scenario) (results []verdict.Result, took time.Duration) {
		began := time.Now()
		require.NoError(b, matrix.Run(b.Context(), e, scenarios, o, nothing{}, func(r verdict.Result) { results = append(results, r) }))
		return results, time.Since(began)
	}
	var topologies []*bench.Topology
	for _, s := range all {
		s = s.Filled()
		topology, err := bench.LoadTopology(b.Context(), root, bench.Axes{Client: s.Client, Backend: s.Backend, Overlay: s.Compose})
		require.NoError(b, err)
		topologies = append(topologies, topology)
	}
	_, err = e.Images(b.Context(), root, bench.ImagesOf(topologies...), nothing{}) // building is not measured
	require.NoError(b, err)
	for b.Loop() {
		results, whole := play(all...)
		var longest float64
		for _, r := range results {
			longest = max(longest, r.Seconds)
		}
		var waits, others time.Duration
		for _, s := range all {
			waits += s.Waits()
		}
		for i := range sample {
			s := all[i*len(all)/sample]
			began := time.Now()
			compose(b, root, e.Address, "up", "--detach")
			compose(b, root, e.Address, "down", "--timeout", "0")
			own := time.Since(began)
			played, _ := play(s)
			others += own + time.Duration(played[0].Seconds*float64(time.Second)) - s.Waits()
		}
		sequence := waits + others/sample*time.Duration(len(all))
		b.ReportMetric(whole.Seconds(), "whole-s")
		b.ReportMetric(longest, "longest-s")
		b.ReportMetric(whole.Seconds()/longest, "whole/longest")
		b.ReportMetric(sequence.Seconds(), "sequence-s")
		b.ReportMetric(sequence.Seconds()/whole.Seconds(), "sequence/whole")
	}
}

// nothing is a progress that nobody sees.
type nothing struct{}

func (nothing) Say(string, string)  {}
func (nothing) Done(string, string) {}

// compose runs Compose's own tool on docker-compose.yml.
func compose(b *testing.B, root, engine string, args ...string) {
	b.Helper()
	argv := []string{"docker-compose"}
	if exec.Command("docker", "compose", "version").Run() == nil {
		argv = []string{"docker", "compose"}
	}
	argv = slices.Concat(argv, []string{"--project-name", "rstlabbench", "--project-directory", root, "-f", filepath.Join(root, "docker-compose.yml")}, args)
	cmd := exec.CommandContext(b.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+engine)
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, "%s", out)
}
