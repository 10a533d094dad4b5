package matrix

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/bench"
	"rstlab/lab/scenario"
	"rstlab/lab/verdict"
)

func TestConfigPath(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "nginx"), 0o777))
	variant := filepath.Join(root, "nginx", "baseline.conf")
	own := filepath.Join(root, "my.conf")
	for _, p := range []string{variant, own} {
		require.NoError(t, os.WriteFile(p, nil, 0o600))
	}
	for name, want := range map[string]string{"baseline": variant, own: own, variant: variant} {
		got, err := ConfigPath(root, name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, name := range []string{"basline", root, filepath.Join(root, "no.conf")} {
		_, err := ConfigPath(root, name)
		assert.ErrorContains(t, err, "is neither a variant (there are baseline) nor a file")
	}
}

func TestOrder(t *testing.T) {
	cells := []cell{
		{scenario: scenario.Scenario{Play: []scenario.Step{scenario.Get("/")}}},
		{scenario: scenario.Scenario{Play: []scenario.Step{scenario.Idle(6 * time.Second)}}},
		{scenario: scenario.Scenario{}},
		{scenario: scenario.Scenario{Play: []scenario.Step{scenario.Idle(time.Second), scenario.Idle(9 * time.Second)}}},
	}
	assert.Equal(t, []int{3, 1, 0, 2}, Options{}.order(cells))
	assert.ElementsMatch(t, []int{0, 1, 2, 3}, Options{Shuffle: 7}.order(cells))
	assert.Equal(t, Options{Shuffle: 7}.order(cells), Options{Shuffle: 7}.order(cells))
}

// TestShare: a race that never comes out so, or always, is not as declared. What
// could not be judged stays what it is.
func TestShare(t *testing.T) {
	s := scenario.Scenario{Runs: 2, Share: [2]float64{0.2, 0.8}}
	shown, other := verdict.Result{Outcome: verdict.Pass}, verdict.Result{Outcome: verdict.Pass, Shown: 1}
	assert.Nil(t, share(s, []verdict.Result{shown, other, other}))
	assert.NotNil(t, share(s, []verdict.Result{shown, shown, shown}))
	assert.NotNil(t, share(s, []verdict.Result{other, other}))
	for _, o := range []verdict.Outcome{verdict.Fail, verdict.Unsupported, verdict.SetupFailed, verdict.LabError} {
		assert.Nil(t, share(s, []verdict.Result{other, {Outcome: o}}), o)
		assert.Nil(t, share(s, []verdict.Result{{Outcome: o}, other}), o)
	}
	assert.Nil(t, share(scenario.Scenario{}, []verdict.Result{other}))
}

// TestLost: a verdict whose evidence cannot be kept is none, and what the play was
// stays.
func TestLost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	c := cell{confName: "my.conf", version: "1.22", run: 3, scenario: scenario.Scenario{ID: "stale-idle", Client: "okhttp"}}
	for why, err := range map[string]error{"": nil, "host client is gone\n": errors.New("host client is gone")} {
		r := player{out: file}.result(c, bench.Evidence{}, err)
		assert.Equal(t, verdict.LabError, r.Outcome)
		assert.Equal(t, 3, r.Run)
		assert.Equal(t, "1.22", r.NginxVersion)
		assert.Empty(t, r.Differences)
		assert.Empty(t, r.Files)
		assert.True(t, strings.HasPrefix(r.Reason, why+"keeping evidence: "), r.Reason)
		assert.Contains(t, r.Reason, "name another folder with -o")
	}
}

// TestKeep: the evidence of a play is where anybody would look, and a second
// play of the same replaces it whole.
func TestKeep(t *testing.T) {
	out := t.TempDir()
	c := cell{confName: "/somewhere/my.conf", scenario: scenario.Scenario{ID: "stale-idle", Client: "okhttp"}}
	r := verdict.Result{Scenario: "stale-idle", Client: "okhttp", Run: 3, Files: map[string]string{}}
	seen := bench.Evidence{Capture: []byte("capture"), Observation: scenario.Observation{
		Outcomes: []scenario.Outcome{{N: 1, Status: 200}}, ErrorLog: []string{"a", "b"}, Kernel: []scenario.KernelReset{}}}
	require.NoError(t, c.keep(&r, seen, out))
	dir := filepath.Join(out, "stale-idle", "okhttp", "my", "3")
	for name, want := range map[string]string{"capture.pcapng": "capture", "nginx-error.log": "a\nb\n", "client.jsonl": "{\"n\":1,\"status\":200,\"error\":null,\"local_port\":0}\n", "kernel.txt": ""} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, want, string(data))
		assert.Equal(t, filepath.Join(dir, name), r.Files[name])
	}
	again := verdict.Result{Scenario: "stale-idle", Client: "okhttp", Run: 3, Files: map[string]string{}}
	require.NoError(t, c.keep(&again, bench.Evidence{}, out))
	assert.NoFileExists(t, filepath.Join(dir, "capture.pcapng"))
	assert.FileExists(t, filepath.Join(dir, "result.json"))

	file := filepath.Join(out, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	assert.ErrorContains(t, c.keep(&r, seen, file), "keeping evidence")
}
