package report

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rstlab/lab/scenario"
	"rstlab/lab/tcp"
	"rstlab/lab/verdict"
)

// tell returns a story, each run of white space as one space.
func tell(t *testing.T, s Story) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, s.Tell(Paper{Writer: &b, Width: 100}))
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestOwnNumbers: where the user has set times of their own, the story says that
// the scenario's Why speaks of others, and which are set.
func TestOwnNumbers(t *testing.T) {
	s := Story{Scenario: scenario.Scenario{ID: "stale-idle", Why: "nginx closes after 5 s."}, Result: verdict.Result{Outcome: verdict.Pass}}
	assert.NotContains(t, tell(t, s), "set in their place")
	s.Result.Numbers = map[string]string{"keepalive_timeout": "1m0s", "client rests": "1m1s"}
	const numbers = "nginx closes after 5 s. (The times in this are the scenario's own; set in their place: client rests 1m1s and keepalive_timeout 1m0s.)"
	assert.Contains(t, tell(t, s), numbers)
	s.Configs = "my.conf says the same as baseline.conf"
	assert.Contains(t, tell(t, s), "its numbers are your own.) (The times in this are the scenario's own;")
}

// TestNoCapture: a story whose evidence could not be kept tells why, though there
// is no capture to draw.
func TestNoCapture(t *testing.T) {
	s := Story{Result: verdict.Result{Outcome: verdict.LabError, Reason: "no space left on device", Conversations: make([]tcp.Conversation, 1)}}
	assert.Contains(t, tell(t, s), "reason no space left on device")
}
