package tests

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/verdict"
)

// labRun plays scenarios by the command, one at a time, and returns the results
// in the order in which they were played.
func labRun(t *testing.T, args ...string) []verdict.Result {
	t.Helper()
	args = append([]string{"run", "--json", "-j", "1", "-o", filepath.Join(t.TempDir(), "out")}, args...)
	cmd := exec.CommandContext(t.Context(), "lab", args...)
	cmd.Dir = ".."
	said, err := cmd.Output()
	require.NoError(t, err)
	var told struct{ Results []verdict.Result }
	require.NoError(t, json.Unmarshal(said, &told))
	slices.SortFunc(told.Results, func(a, b verdict.Result) int { return a.Steps[0].Time.Compare(b.Steps[0].Time) })
	return told.Results
}

// TestShuffle: the same seed plays in the same order and another in another; what
// comes out is the same. And with -j 1 nothing is played beside another.
func TestShuffle(t *testing.T) {
	needsDocker(t)
	played := []string{"baseline", "closed-port", "connect-rejected", "return-444"}
	order := func(seed ...string) (ids []string) {
		var over time.Time
		for _, r := range labRun(t, append(seed, played...)...) {
			ids = append(ids, r.Scenario)
			assert.Equal(t, verdict.Pass, r.Outcome, r.Scenario)
			assert.True(t, r.Steps[0].Time.After(over), "%s was played beside another", r.Scenario)
			over = r.Steps[len(r.Steps)-1].Time
		}
		assert.ElementsMatch(t, played, ids)
		return ids
	}
	none, one := order(), order("--shuffle", "1")
	assert.Equal(t, one, order("--shuffle", "1"))
	assert.NotEqual(t, one, order("--shuffle", "2"))
	assert.NotEqual(t, one, none)
}
